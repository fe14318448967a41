import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Since when a key signs: one that was told of ahead signs nothing yet. */
export class TurnSigningKeys1790000002300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE signing_key ADD COLUMN signs_from_ms bigint');
    await runner.query('UPDATE signing_key SET signs_from_ms = created_at_ms');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE signing_key DROP COLUMN signs_from_ms');
  }
}
