import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  // One row: what nodes were told last, so that its version rises over every start.
  'CREATE TABLE trusted_issuer (id text PRIMARY KEY, state jsonb NOT NULL)',
  // Nodes are told of subjects from now on, and take a principal in anew only in another version.
  `UPDATE principal SET version = version + 1
    WHERE id IN (SELECT principal_id FROM identity_link)
       OR id IN (SELECT principal_id FROM scim_user WHERE external_id IS NOT NULL)`,
];

export class TrustIssuer1790000001800 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE trusted_issuer');
  }
}
