import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateApprovals1790000070000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE approval (
      id text PRIMARY KEY,
      binding text NOT NULL,
      status text NOT NULL,
      is_open boolean NOT NULL,
      request jsonb NOT NULL,
      principal_id text NOT NULL,
      requested_at_ms bigint NOT NULL,
      expires_at_ms bigint NOT NULL,
      decided_by text,
      decider_name text,
      reason text,
      decided_at_ms bigint,
      redeemed_by text UNIQUE,
      redeemed_at_ms bigint
    )`);
    // One open question about one call, however many nodes ask at once.
    await runner.query('CREATE UNIQUE INDEX approval_open ON approval (binding) WHERE is_open');
    await runner.query('CREATE INDEX approval_due ON approval (expires_at_ms) WHERE is_open');
    await runner.query('CREATE INDEX approval_age ON approval (requested_at_ms)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE approval');
  }
}
