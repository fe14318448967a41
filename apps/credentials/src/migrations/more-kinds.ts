import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Kinds of connections beside consents: what a person keeps here, keys of our own, and tokens that are exchanged. */
export class MoreKinds1790000071000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE provider ADD authentication text, ADD assertion jsonb, ADD form jsonb`);
    await runner.query(`ALTER TABLE connection DROP CONSTRAINT connection_check`);
    await runner.query(`ALTER TABLE connection ADD CONSTRAINT connection_of_person CHECK (
      (kind IN ('oauth_user', 'static_header_user', 'basic_user', 'token_exchange', 'id_jag')) = (principal_id IS NOT NULL))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connection DROP CONSTRAINT connection_of_person');
    await runner.query(
      `ALTER TABLE connection ADD CONSTRAINT connection_check CHECK (kind = 'oauth_user' OR principal_id IS NULL)`,
    );
    await runner.query('ALTER TABLE provider DROP authentication, DROP assertion, DROP form');
  }
}
