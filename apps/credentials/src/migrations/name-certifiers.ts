import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which key of the registrar certified a node: with another one its state is another. */
export class NameCertifiers1790000095000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE node_identity ADD certified_by text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE node_identity DROP certified_by');
  }
}
