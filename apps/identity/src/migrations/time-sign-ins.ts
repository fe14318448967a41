import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a browser signed in, to the millisecond: the authorization server keeps whole seconds, in which several may. */
export class TimeSignIns1790000002100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE browser_session ADD COLUMN signed_in_at_ms bigint');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE browser_session DROP COLUMN signed_in_at_ms');
  }
}
