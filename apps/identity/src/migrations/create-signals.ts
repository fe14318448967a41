import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  'ALTER TABLE access_hold DROP CONSTRAINT access_hold_holder_check',
  `ALTER TABLE access_hold ADD CONSTRAINT access_hold_holder_check
     CHECK (holder IN ('administrator', 'scim') OR holder ~ '^(signals|sign-in)/.{1,100}$')`,
  // The last that each sender said of somebody's access, by when it happened there: an older word changes nothing.
  `CREATE TABLE signal_word (
    principal_id text NOT NULL REFERENCES principal (id),
    holder text NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (principal_id, holder)
  )`,
  // What a provider gave to ask it by whether somebody is still there. `sealed` is null once that is of no use any more.
  `CREATE TABLE liveness (
    principal_id text NOT NULL REFERENCES principal (id),
    provider text NOT NULL,
    generation int NOT NULL,
    sealed text,
    next_check_at_ms bigint NOT NULL,
    checked_at_ms bigint NOT NULL,
    failures int NOT NULL DEFAULT 0,
    asked_at_ms bigint,
    PRIMARY KEY (principal_id, provider)
  )`,
  'CREATE INDEX liveness_next ON liveness (next_check_at_ms)',
];

export class CreateSignals1790000001500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE signal_word, liveness');
    await runner.query(`DELETE FROM access_hold WHERE holder NOT IN ('administrator', 'scim')`);
    await runner.query('ALTER TABLE access_hold DROP CONSTRAINT access_hold_holder_check');
    await runner.query(
      `ALTER TABLE access_hold ADD CONSTRAINT access_hold_holder_check CHECK (holder IN ('administrator', 'scim'))`,
    );
  }
}
