import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateApprovalNotices1790000092000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The body is text: it is posted to the byte as it was signed, and may hold what `jsonb` refuses.
    await runner.query(`CREATE TABLE approval_notice (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      webhook text NOT NULL,
      approval_id text NOT NULL,
      event text NOT NULL,
      message_id text NOT NULL,
      body text NOT NULL,
      attempts integer NOT NULL DEFAULT 0,
      created_at_ms bigint NOT NULL,
      next_at_ms bigint NOT NULL,
      useless_after_ms bigint,
      is_dead boolean NOT NULL DEFAULT false,
      last_error text
    )`);
    await runner.query('CREATE INDEX approval_notice_due ON approval_notice (webhook, next_at_ms) WHERE NOT is_dead');
    await runner.query(
      'CREATE INDEX approval_notice_turn ON approval_notice (webhook, approval_id, id) WHERE NOT is_dead',
    );
    await runner.query('CREATE INDEX approval_notice_dead ON approval_notice (webhook, id) WHERE is_dead');
    await runner.query('CREATE INDEX approval_notice_age ON approval_notice (created_at_ms)');
    await runner.query(`CREATE TABLE approval_webhook (
      name text PRIMARY KEY,
      delivered bigint NOT NULL DEFAULT 0,
      dropped bigint NOT NULL DEFAULT 0,
      last_delivered_at_ms bigint,
      last_failed_at_ms bigint,
      last_error text
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE approval_webhook');
    await runner.query('DROP TABLE approval_notice');
  }
}
