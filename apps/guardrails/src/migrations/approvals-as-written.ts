import type { MigrationInterface, QueryRunner } from 'typeorm';

/** `jsonb` refuses NUL and half characters, which arguments of a call may hold. */
export class ApprovalsAsWritten1790000090000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE approval ALTER COLUMN request TYPE json');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE approval ALTER COLUMN request TYPE jsonb');
  }
}
