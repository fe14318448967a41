import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  // What the authorization server keeps: sessions, grants, codes, refresh tokens, clients. Ids that are bearers stand
  // there as their hash only.
  `CREATE TABLE oauth_item (
    model text NOT NULL,
    id text NOT NULL,
    payload jsonb NOT NULL,
    grant_id text,
    account_id text,
    uid text,
    expires_at timestamptz,
    consumed_at timestamptz,
    PRIMARY KEY (model, id)
  )`,
  'CREATE INDEX oauth_item_grant ON oauth_item (grant_id) WHERE grant_id IS NOT NULL',
  'CREATE INDEX oauth_item_account ON oauth_item (account_id) WHERE account_id IS NOT NULL',
  'CREATE INDEX oauth_item_uid ON oauth_item (model, uid) WHERE uid IS NOT NULL',
  'CREATE INDEX oauth_item_expiry ON oauth_item (expires_at) WHERE expires_at IS NOT NULL',
  // Kept until no access token of the grant can be presented any more.
  `CREATE TABLE ended_grant (
    id text PRIMARY KEY,
    principal_id text NOT NULL,
    expires_at_ms bigint NOT NULL
  )`,
  `CREATE TABLE signing_key (
    id text PRIMARY KEY,
    version int NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'retired')),
    jwk jsonb NOT NULL,
    sealed text NOT NULL,
    created_at_ms bigint NOT NULL
  )`,
  // A sign-in that was sent to a provider and has not come back; single use.
  `CREATE TABLE sign_in_attempt (
    state_digest text PRIMARY KEY,
    browser_digest text NOT NULL,
    interaction text NOT NULL,
    provider text NOT NULL,
    sealed text NOT NULL,
    expires_at_ms bigint NOT NULL
  )`,
  `CREATE TABLE identity_link (
    provider text NOT NULL,
    subject text NOT NULL,
    principal_id text NOT NULL REFERENCES principal (id),
    PRIMARY KEY (provider, subject)
  )`,
  'CREATE INDEX identity_link_principal ON identity_link (principal_id)',
  `CREATE TABLE password (
    principal_id text PRIMARY KEY REFERENCES principal (id),
    hash text NOT NULL,
    changed_at_ms bigint NOT NULL
  )`,
  `CREATE TABLE password_link (
    digest text PRIMARY KEY,
    principal_id text NOT NULL REFERENCES principal (id),
    expires_at_ms bigint NOT NULL
  )`,
  'ALTER TABLE principal ADD COLUMN signed_out_at_ms bigint',
];

export class CreateAuthorization1790000001300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE principal DROP COLUMN signed_out_at_ms');
    await runner.query(
      'DROP TABLE oauth_item, ended_grant, signing_key, sign_in_attempt, identity_link, password, password_link',
    );
  }
}
