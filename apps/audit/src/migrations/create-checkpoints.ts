import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Signed heads of logs, kept for ever. Two that say different things of one size are two rows: that they exist is what
 * an auditor must see.
 */
const STATEMENTS = [
  `CREATE TABLE checkpoint (
    log text NOT NULL,
    size bigint NOT NULL,
    digest text NOT NULL,
    leaves_from bigint NOT NULL,
    at timestamptz NOT NULL,
    checkpoint json NOT NULL,
    PRIMARY KEY (log, size, digest)
  )`,
  'CREATE INDEX checkpoint_at ON checkpoint (at)',
];

export class CreateCheckpoints1790000002500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE checkpoint');
  }
}
