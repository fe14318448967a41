import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What every owner of state has: changes on their way to the bus, and the last number of its admin record log. */
export class CreateOutbox1790000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE outbox (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      topic text NOT NULL,
      key text NOT NULL,
      value text NOT NULL
    )`);
    await runner.query('CREATE INDEX outbox_topic ON outbox (topic, id)');
    await runner.query(`CREATE TABLE admin_record_log (
      log text PRIMARY KEY,
      last_sequence bigint NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE admin_record_log');
    await runner.query('DROP TABLE outbox');
  }
}
