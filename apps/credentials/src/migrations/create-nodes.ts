import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateNodes1790000001050 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE node_identity (
      node text PRIMARY KEY,
      version int NOT NULL,
      status text NOT NULL CHECK (status IN ('active', 'revoked')),
      identity text NOT NULL,
      previous_identity text,
      previous_until_ms bigint,
      enrolled_at_ms bigint NOT NULL,
      expires_at_ms bigint NOT NULL
    )`);
    await runner.query(`CREATE TABLE join_token (
      id text PRIMARY KEY,
      node text NOT NULL,
      verifier text NOT NULL,
      expires_at_ms bigint,
      used_at_ms bigint
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE join_token');
    await runner.query('DROP TABLE node_identity');
  }
}
