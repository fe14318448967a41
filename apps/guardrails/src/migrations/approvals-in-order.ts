import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The two orders in which the list is read, so that a page costs what it shows however many there are. */
export class ApprovalsInOrder1790000093000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX approval_list ON approval (is_open, requested_at_ms, id)');
    await runner.query('CREATE INDEX approval_list_of_status ON approval (status, is_open, requested_at_ms, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX approval_list_of_status');
    await runner.query('DROP INDEX approval_list');
  }
}
