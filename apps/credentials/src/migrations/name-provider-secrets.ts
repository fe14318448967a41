import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A row says where its client's secret stands: a secret and the row that means it change in one transaction. */
export class NameProviderSecrets1790000076000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE provider ADD COLUMN secret_name text');
    await runner.query(`UPDATE provider SET secret_name = 'provider/' || id WHERE has_secret`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE provider DROP COLUMN secret_name');
  }
}
