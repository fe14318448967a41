import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Kinds whose credential is more than headers: a client certificate, and keys that sign each request. */
export class KindsOfTlsAndAws1790000110000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE connection DROP CONSTRAINT connection_of_person`);
    await runner.query(`ALTER TABLE connection ADD CONSTRAINT connection_of_person CHECK (
      (kind IN ('oauth_user', 'static_header_user', 'basic_user', 'mtls_user', 'aws_sigv4_user', 'token_exchange', 'id_jag'))
      = (principal_id IS NOT NULL))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connection DROP CONSTRAINT connection_of_person');
    await runner.query(`ALTER TABLE connection ADD CONSTRAINT connection_of_person CHECK (
      (kind IN ('oauth_user', 'static_header_user', 'basic_user', 'token_exchange', 'id_jag')) = (principal_id IS NOT NULL))`);
  }
}
