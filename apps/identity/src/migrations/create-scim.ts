import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateScim1790000001100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE access_hold (
      principal_id text NOT NULL REFERENCES principal (id),
      holder text NOT NULL CHECK (holder IN ('administrator', 'scim')),
      since_ms bigint NOT NULL,
      PRIMARY KEY (principal_id, holder)
    )`);
    // Until now only an administrator could have decided it.
    await runner.query(`INSERT INTO access_hold (principal_id, holder, since_ms)
      SELECT id, 'administrator', (extract(epoch FROM now()) * 1000)::bigint FROM principal WHERE status <> 'active'`);
    await runner.query(`CREATE TABLE scim_user (
      principal_id text PRIMARY KEY REFERENCES principal (id),
      version int NOT NULL,
      user_name text NOT NULL,
      external_id text,
      emails text[] NOT NULL,
      attributes jsonb NOT NULL,
      given_groups text[] NOT NULL,
      given_roles text[] NOT NULL,
      created_at_ms bigint NOT NULL,
      modified_at_ms bigint NOT NULL,
      deleted_at_ms bigint
    )`);
    await runner.query(
      'CREATE UNIQUE INDEX scim_user_name ON scim_user (lower(user_name)) WHERE deleted_at_ms IS NULL',
    );
    await runner.query('CREATE INDEX scim_user_any_name ON scim_user (lower(user_name))');
    await runner.query('CREATE INDEX scim_user_external ON scim_user (external_id)');
    await runner.query('CREATE INDEX scim_user_emails ON scim_user USING gin (emails)');
    await runner.query(`CREATE TABLE scim_group (
      id text PRIMARY KEY,
      version int NOT NULL,
      display_name text NOT NULL,
      external_id text,
      attributes jsonb NOT NULL,
      created_at_ms bigint NOT NULL,
      modified_at_ms bigint NOT NULL
    )`);
    await runner.query('CREATE UNIQUE INDEX scim_group_name ON scim_group (lower(display_name))');
    await runner.query('CREATE INDEX scim_group_external ON scim_group (external_id)');
    await runner.query(`CREATE TABLE scim_member (
      group_id text NOT NULL REFERENCES scim_group (id) ON DELETE CASCADE,
      principal_id text NOT NULL REFERENCES scim_user (principal_id),
      PRIMARY KEY (group_id, principal_id)
    )`);
    await runner.query('CREATE INDEX scim_member_principal ON scim_member (principal_id)');
    // Asked for with every user that SCIM makes; the unique index does not hold those who were removed.
    await runner.query('CREATE INDEX principal_any_email ON principal (lower(email)) WHERE email IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX principal_any_email');
    for (const table of ['scim_member', 'scim_group', 'scim_user', 'access_hold']) {
      await runner.query(`DROP TABLE ${table}`);
    }
  }
}
