import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCredentials1790000001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE static_credential (
      upstream text PRIMARY KEY,
      version int NOT NULL,
      status text NOT NULL CHECK (status IN ('active', 'revoked')),
      kind text NOT NULL CHECK (kind IN ('header', 'environment')),
      name text NOT NULL,
      changed_at_ms bigint NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE static_credential');
  }
}
