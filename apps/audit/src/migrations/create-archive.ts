import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  `CREATE TABLE archive_day (
    day date PRIMARY KEY,
    generation int NOT NULL,
    rows bigint NOT NULL,
    -- Rows of Postgres that were among them: what it must still hold, and no more, when it lets go of the day.
    hot_rows bigint NOT NULL,
    written_at timestamptz NOT NULL,
    -- When Postgres let go of the day; null while it holds it too.
    dropped_at timestamptz
  )`,
  `CREATE TABLE archive_file (
    path text PRIMARY KEY,
    day date NOT NULL REFERENCES archive_day (day) DEFERRABLE INITIALLY DEFERRED,
    class_uid int NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    digest text NOT NULL
  )`,
  'CREATE INDEX archive_file_day ON archive_file (day)',
  `CREATE TABLE legal_hold (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    reason text NOT NULL,
    -- Null for every subject; null days for a time without that end.
    subject text,
    from_day date,
    to_day date,
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL,
    released_by text,
    released_at timestamptz
  )`,
  `CREATE TABLE erasure (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    reason text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    state text NOT NULL,
    records bigint NOT NULL DEFAULT 0,
    finished_at timestamptz
  )`,
];

/** What is kept beside the records: their archive, what must not be deleted, and what had to be. */
export class CreateArchive1790000002100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE archive_file, archive_day, legal_hold, erasure');
  }
}
