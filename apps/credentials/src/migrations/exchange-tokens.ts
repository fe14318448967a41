import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Providers whose tokens are had for those of another provider. */
export class ExchangeTokens1790000090000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE provider ADD COLUMN exchange jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE provider DROP COLUMN exchange');
  }
}
