import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Processes of every service are enrolled, where only ingress nodes were. */
export class NameServicesOfNodes1790000077000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE node_identity
      ADD service text NOT NULL DEFAULT 'ingress',
      ADD valid_from_ms bigint NOT NULL DEFAULT 0`);
    await runner.query(`ALTER TABLE join_token ADD service text NOT NULL DEFAULT 'ingress'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE join_token DROP service');
    await runner.query('ALTER TABLE node_identity DROP valid_from_ms, DROP service');
  }
}
