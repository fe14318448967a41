import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RotateTokens1790000001200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE token
      ADD COLUMN generation int NOT NULL DEFAULT 1,
      ADD COLUMN rotated_at_ms bigint,
      ADD COLUMN previous_digest text,
      ADD COLUMN previous_pepper_key_id text,
      ADD COLUMN previous_expires_at_ms bigint,
      ADD COLUMN last_used_at_ms bigint`);
    await runner.query(
      'CREATE UNIQUE INDEX token_previous ON token (previous_digest) WHERE previous_digest IS NOT NULL',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX token_previous');
    await runner.query(`ALTER TABLE token
      DROP COLUMN generation, DROP COLUMN rotated_at_ms, DROP COLUMN previous_digest,
      DROP COLUMN previous_pepper_key_id, DROP COLUMN previous_expires_at_ms, DROP COLUMN last_used_at_ms`);
  }
}
