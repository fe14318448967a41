import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateRulePacks1790000002000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE rule_pack (
      pack text PRIMARY KEY,
      version int NOT NULL,
      detectors text[] NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rule_pack');
  }
}
