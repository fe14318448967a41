import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateDefinitions1790000080000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE upstream_definitions (
      upstream text PRIMARY KEY,
      version int NOT NULL,
      listed_version bigint NOT NULL
    )`);
    await runner.query(`CREATE TABLE tool_definition (
      upstream text NOT NULL REFERENCES upstream_definitions,
      tool text NOT NULL,
      hash text NOT NULL,
      definition text NOT NULL,
      is_first boolean NOT NULL,
      is_listed boolean NOT NULL,
      verdict text CHECK (verdict IN ('accepted', 'rejected')),
      seen_at_ms bigint NOT NULL,
      decided_at_ms bigint,
      decided_by text,
      PRIMARY KEY (upstream, tool, hash)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tool_definition');
    await runner.query('DROP TABLE upstream_definitions');
  }
}
