import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateBrowserSessions1790000001700 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // What the authorization server does not keep of a browser that is signed in, and that it was ended: the server
    // writes its sessions back at the end of each request, and one that was under way must not bring it back.
    await runner.query(`CREATE TABLE browser_session (
      id text PRIMARY KEY,
      principal_id text NOT NULL REFERENCES principal (id),
      provider text,
      agent text,
      signed_in_from text,
      seen_from text,
      seen_at_ms bigint NOT NULL,
      ended_at_ms bigint
    )`);
    await runner.query('ALTER TABLE token ADD COLUMN prefix text');
    await runner.query('CREATE INDEX browser_session_principal ON browser_session (principal_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE token DROP COLUMN prefix');
    await runner.query('DROP TABLE browser_session');
  }
}
