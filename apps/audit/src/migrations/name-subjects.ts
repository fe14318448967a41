import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How whom an erasure is of was called, for as long as records of before it may still come; null after that. */
export class NameSubjects1790000002800 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE erasure ADD COLUMN known_as text[]');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE erasure DROP COLUMN known_as');
  }
}
