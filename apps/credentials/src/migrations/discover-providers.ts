import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Providers of no catalogue: what they said of themselves stands in their row. */
export class DiscoverProviders1790000091000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE provider ADD COLUMN discovered jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE provider DROP COLUMN discovered');
  }
}
