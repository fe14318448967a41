import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Attempts are of the place that they were begun at, and connections of suspended people rest. */
export class BindAttempts1790000075000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Of one that was begun before there was the column nobody knows where: its person begins again.
    await runner.query(`ALTER TABLE connection_attempt ADD COLUMN place text NOT NULL DEFAULT ''`);
    await runner.query('ALTER TABLE connection ADD COLUMN is_resting boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connection_attempt DROP COLUMN place');
    await runner.query('ALTER TABLE connection DROP COLUMN is_resting');
  }
}
