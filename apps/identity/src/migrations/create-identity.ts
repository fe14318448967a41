import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateIdentity1790000001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE principal (
      id text PRIMARY KEY,
      version int NOT NULL,
      status text NOT NULL CHECK (status IN ('active', 'suspended', 'removed')),
      kind text NOT NULL CHECK (kind IN ('human', 'service')),
      name text NOT NULL,
      email text,
      groups text[] NOT NULL,
      roles text[] NOT NULL
    )`);
    // A grant may name an address, so two living principals never share one, in whatever case it is written.
    await runner.query(
      `CREATE UNIQUE INDEX principal_email ON principal (lower(email)) WHERE email IS NOT NULL AND status <> 'removed'`,
    );
    await runner.query(`CREATE TABLE token (
      id text PRIMARY KEY,
      digest text NOT NULL UNIQUE,
      version int NOT NULL,
      status text NOT NULL CHECK (status IN ('active', 'revoked')),
      name text NOT NULL,
      principal_id text NOT NULL REFERENCES principal (id),
      pepper_key_id text NOT NULL,
      created_at_ms bigint NOT NULL,
      expires_at_ms bigint NOT NULL,
      scopes jsonb NOT NULL
    )`);
    await runner.query('CREATE INDEX token_principal ON token (principal_id, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE token');
    await runner.query('DROP TABLE principal');
  }
}
