import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a provider had the browser post, sealed, until the browser comes for it with its cookie. */
export class HoldAnswers1790000001400 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sign_in_attempt ADD COLUMN answer text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sign_in_attempt DROP COLUMN answer');
  }
}
