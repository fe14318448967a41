import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePolicy1790000001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE policy_version (
      version int PRIMARY KEY,
      document text NOT NULL,
      origin text NOT NULL CHECK (origin IN ('initial', 'file', 'api')),
      created_at_ms bigint NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE policy_version');
  }
}
