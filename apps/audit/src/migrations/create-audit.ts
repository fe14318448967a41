import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `record` is the exact text that came (numbers survive to the digit, and it is what a later verifier hashes); the
 * columns beside it are what queries filter by.
 */
const STATEMENTS = [
  `CREATE TABLE call_record (
    occurred_at timestamptz NOT NULL,
    record_id uuid NOT NULL,
    log text NOT NULL,
    sequence bigint NOT NULL,
    kind text NOT NULL,
    decision text NOT NULL,
    outcome text NOT NULL,
    refusal_code text,
    principal_id text,
    principal_name text,
    principal_email text,
    agent_id text,
    agent_name text,
    virtual_server text,
    upstream text,
    tool text,
    count int NOT NULL,
    record json NOT NULL,
    PRIMARY KEY (occurred_at, record_id)
  ) PARTITION BY RANGE (occurred_at)`,
  // A clock that is days off must not lose a record.
  'CREATE TABLE call_record_default PARTITION OF call_record DEFAULT',
  'CREATE INDEX call_record_id ON call_record (record_id)',
  'CREATE INDEX call_record_principal ON call_record (principal_id, occurred_at DESC)',
  'CREATE INDEX call_record_upstream ON call_record (upstream, occurred_at DESC)',
  `CREATE TABLE usage_day (
    day date NOT NULL,
    upstream text NOT NULL,
    tool text NOT NULL,
    principal_id text NOT NULL,
    agent_id text NOT NULL,
    principal_name text,
    principal_email text,
    agent_name text,
    permitted bigint NOT NULL,
    forbidden bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    -- Keys of up to three records, so that samples are found without a search.
    sample_at timestamptz[] NOT NULL,
    sample_id uuid[] NOT NULL,
    PRIMARY KEY (upstream, tool, principal_id, agent_id, day)
  )`,
  'CREATE INDEX usage_day_day ON usage_day (day)',
  `CREATE TABLE usage_seen (
    upstream text NOT NULL,
    tool text NOT NULL,
    principal_id text NOT NULL,
    agent_id text NOT NULL,
    calls bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (upstream, tool, principal_id, agent_id)
  )`,
  `CREATE TABLE quarantine (
    id text PRIMARY KEY,
    topic text NOT NULL,
    partition int NOT NULL,
    "offset" text NOT NULL,
    key text,
    value bytea NOT NULL,
    reason text NOT NULL,
    quarantined_at timestamptz NOT NULL
  )`,
  'CREATE INDEX quarantine_newest ON quarantine (quarantined_at DESC, id DESC)',
];

export class CreateAudit1790000002000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE call_record, usage_day, usage_seen, quarantine');
  }
}
