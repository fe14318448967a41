import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  `CREATE TABLE service_account (
    principal_id text PRIMARY KEY REFERENCES principal (id),
    owner_id text NOT NULL REFERENCES principal (id),
    team text NOT NULL,
    description text NOT NULL,
    created_at_ms bigint NOT NULL
  )`,
  'CREATE INDEX service_account_owner ON service_account (owner_id)',
  // A secret stands here as its digest only; keys are public ones.
  `CREATE TABLE service_credential (
    id text PRIMARY KEY,
    principal_id text NOT NULL REFERENCES service_account (principal_id),
    kind text NOT NULL CHECK (kind IN ('secret', 'keys')),
    name text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'ended')),
    digest text UNIQUE,
    jwks jsonb,
    jwks_uri text,
    created_at_ms bigint NOT NULL,
    expires_at_ms bigint
  )`,
  'CREATE INDEX service_credential_principal ON service_credential (principal_id)',
  // Which grant an agent has for a person: the same over every exchange, so that its end ends them all.
  `CREATE TABLE agent_grant (
    key text PRIMARY KEY,
    grant_id text NOT NULL
  )`,
];

export class CreateAgents1790000001600 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE agent_grant, service_credential, service_account');
  }
}
