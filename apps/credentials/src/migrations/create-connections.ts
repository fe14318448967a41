import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateConnections1790000050000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of TABLES) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE token_ending, connection_attempt, connection, upstream_auth, provider');
  }
}

const TABLES = [
  `CREATE TABLE provider (
    id text PRIMARY KEY,
    version int NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'removed')),
    entry text NOT NULL,
    client_id text NOT NULL,
    has_secret boolean NOT NULL,
    scopes jsonb,
    parameters jsonb NOT NULL,
    paused_until_ms bigint NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0,
    alarm text,
    changed_at_ms bigint NOT NULL
  )`,
  `CREATE TABLE upstream_auth (
    upstream text PRIMARY KEY,
    version int NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'removed')),
    kind text NOT NULL,
    provider text REFERENCES provider,
    changed_at_ms bigint NOT NULL
  )`,
  `CREATE TABLE connection (
    id text PRIMARY KEY,
    version int NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'reconnect_required', 'revoked', 'disconnected')),
    reason text,
    kind text NOT NULL,
    provider text NOT NULL REFERENCES provider,
    principal_id text,
    owner_id text,
    account_id text,
    account_name text,
    generation int NOT NULL,
    facts jsonb NOT NULL,
    scopes jsonb NOT NULL,
    access_token text,
    refresh_token text,
    expires_at_ms bigint,
    refresh_at_ms bigint,
    intent jsonb,
    connected_at_ms bigint NOT NULL,
    changed_at_ms bigint NOT NULL,
    CHECK (kind = 'oauth_user' OR principal_id IS NULL),
    CHECK (status IN ('active', 'reconnect_required') OR (access_token IS NULL AND refresh_token IS NULL))
  )`,
  `CREATE UNIQUE INDEX connection_of ON connection (provider, kind, coalesce(principal_id, ''))`,
  `CREATE INDEX connection_principal ON connection (principal_id)`,
  `CREATE INDEX connection_due ON connection (refresh_at_ms) WHERE status = 'active'`,
  // Where a browser was sent to a provider: used once, and by that browser.
  `CREATE TABLE connection_attempt (
    state_digest text PRIMARY KEY,
    provider text NOT NULL REFERENCES provider,
    kind text NOT NULL,
    principal_id text NOT NULL,
    browser_digest text NOT NULL,
    verifier text NOT NULL,
    back_to text NOT NULL,
    expires_at_ms bigint NOT NULL
  )`,
  `CREATE INDEX connection_attempt_expiry ON connection_attempt (expires_at_ms)`,
  // Tokens that are nobody's any more and have still to be ended at their provider.
  `CREATE TABLE token_ending (
    id bigserial PRIMARY KEY,
    connection_id text NOT NULL,
    provider text NOT NULL,
    generation int NOT NULL,
    access_token text,
    refresh_token text,
    reason text NOT NULL,
    due_at_ms bigint NOT NULL,
    tries int NOT NULL DEFAULT 0
  )`,
  `CREATE INDEX token_ending_due ON token_ending (due_at_ms)`,
];
