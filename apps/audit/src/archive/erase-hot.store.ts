import { withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';
import { ERASED_RECORD, HAS_PERSONAL, personalOf } from './erased-text.js';
import type { Erasure } from './erasure.store.js';
import { type Called, isNamedIn, needlesOf, type Subject } from './subject-names.js';

/** Records of one statement, so that each stays within its time. */
const ROWS_PER_STATEMENT = 5_000;
/** Records of administration that are held at once. */
const CANDIDATES_MAX = 200;
const ERASE = `UPDATE call_record SET record = ${ERASED_RECORD}, principal_name = NULL, principal_email = NULL, agent_name = NULL`;

/** A record of administration, and its key. */
interface Candidate {
  readonly at: string;
  readonly id: string;
  readonly text: string;
}

/** How Postgres has the subject called: in its own records, and in what was done to it. */
export async function calledInPostgres(
  source: DataSource,
  { subject, requestedAtMs }: Pick<Erasure, 'subject' | 'requestedAtMs'>,
): Promise<Called[]> {
  const own = await withStore<Called[]>(() =>
    source.query(
      `SELECT DISTINCT principal_name AS name, principal_email AS email FROM usage_day WHERE principal_id = $1
       UNION SELECT DISTINCT principal_name, principal_email FROM call_record WHERE principal_id = $1`,
      [subject],
    ),
  );
  const called = [...own];
  const needles = needlesOf({ id: subject, knownAs: [] });
  for await (const page of candidates(source, needles, requestedAtMs)) {
    for (const { text } of page) called.push(...calledInChange(text, subject));
  }
  return called;
}

/** How an act of administration calls whom it was done to. */
export function calledInChange(text: string, subject: string): Called[] {
  const { personal } = JSON.parse(text) as { personal?: { arguments?: { value?: unknown } | null } | null };
  const changed = personal?.arguments?.value as (Called & { readonly id?: unknown }) | null | undefined;
  return typeof changed === 'object' && changed?.id === subject ? [changed] : [];
}

/** Names of these that somebody else bears too: they tell nobody apart. */
export async function sharedNames(source: DataSource, { id, knownAs }: Subject): Promise<ReadonlySet<string>> {
  if (knownAs.length === 0) return new Set();
  const rows = await withStore<{ name: string }[]>(() =>
    source.query(
      `SELECT DISTINCT principal_name AS name FROM usage_day WHERE principal_name = ANY($1::text[]) AND principal_id <> $2
       UNION SELECT DISTINCT principal_name FROM call_record
       WHERE principal_name = ANY($1::text[]) AND principal_id <> $2`,
      [knownAs, id],
    ),
  );
  return new Set(rows.map(({ name }) => name));
}

/**
 * Deletes the subject's personal bytes from Postgres: of its own records and of those of administration that name it, in
 * the roll-up and in the quarantine.
 * @param source - whose statements may take as long as the reading of a day does
 * @returns records changed
 */
export async function eraseHot(source: DataSource, subject: Subject, untilMs: number): Promise<number> {
  let records = 0;
  for (;;) {
    const [, changed] = await withStore<[unknown, number]>(() =>
      source.query(
        `${ERASE} WHERE (occurred_at, record_id) IN (
           SELECT occurred_at, record_id FROM call_record
           WHERE principal_id = $1 AND occurred_at <= to_timestamp($2::numeric / 1000.0) AND ${HAS_PERSONAL}
           LIMIT ${ROWS_PER_STATEMENT})`,
        [subject.id, untilMs],
      ),
    );
    records += changed;
    if (changed < ROWS_PER_STATEMENT) break;
  }
  for await (const page of candidates(source, needlesOf(subject), untilMs)) {
    const naming = page.filter(({ text }) => isNamedIn(personalOf(text), subject));
    if (naming.length === 0) continue;
    const [, changed] = await withStore<[unknown, number]>(() =>
      source.query(
        `${ERASE} WHERE (occurred_at, record_id) IN (SELECT * FROM unnest($1::timestamptz[], $2::uuid[])) AND ${HAS_PERSONAL}`,
        [naming.map(({ at }) => at), naming.map(({ id }) => id)],
      ),
    );
    records += changed;
  }
  await eraseBeside(source, subject, untilMs);
  return records;
}

async function eraseBeside(source: DataSource, { id, knownAs }: Subject, untilMs: number): Promise<void> {
  await withStore(() =>
    source.query(
      `UPDATE usage_day SET principal_name = NULL, principal_email = NULL, agent_name = NULL
       WHERE principal_id = $1 AND last_at <= to_timestamp($2::numeric / 1000.0)`,
      [id, untilMs],
    ),
  );
  const texts = [id, ...knownAs].map((text) => JSON.stringify(text));
  await withStore(() =>
    source.query(
      `DELETE FROM quarantine WHERE quarantined_at <= to_timestamp($2::numeric / 1000.0)
         AND EXISTS (SELECT FROM unnest($1::text[]) AS naming WHERE position(convert_to(naming, 'UTF8') IN value) > 0)`,
      [texts, untilMs],
    ),
  );
}

/**
 * Records of administration that hold one of the needles and personal bytes, a page at a time. Nothing indexes them: a
 * statement reads one day, and days that have no record are passed over.
 */
async function* candidates(
  source: DataSource,
  needles: readonly string[],
  untilMs: number,
): AsyncGenerator<readonly Candidate[]> {
  let from = '-infinity';
  for (;;) {
    const [day] = await withStore<[{ from: string | null; to: string }]>(() =>
      source.query(
        `SELECT date_trunc('day', first, 'UTC')::text AS from, (date_trunc('day', first, 'UTC') + interval '24 hours')::text AS to
         FROM (SELECT min(occurred_at) AS first FROM call_record
           WHERE occurred_at >= $1::timestamptz AND occurred_at <= to_timestamp($2::numeric / 1000.0)) AS oldest`,
        [from, untilMs],
      ),
    );
    if (day.from === null) return;
    yield* candidatesOf(source, needles, [day.from, day.to, untilMs]);
    from = day.to;
  }
}

async function* candidatesOf(
  source: DataSource,
  needles: readonly string[],
  day: readonly [from: string, to: string, untilMs: number],
): AsyncGenerator<readonly Candidate[]> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const page = await withStore<Candidate[]>(() =>
      source.query(
        `SELECT occurred_at::text AS at, record_id AS id, record::text AS text FROM call_record
         WHERE occurred_at >= $1::timestamptz AND occurred_at < $2::timestamptz
           AND occurred_at <= to_timestamp($3::numeric / 1000.0) AND log LIKE 'admin/%' AND record_id > $4::uuid
           AND ${HAS_PERSONAL}
           AND EXISTS (SELECT FROM unnest($5::text[]) AS needle WHERE strpos(lower(record::text), lower(needle)) > 0)
         ORDER BY record_id LIMIT ${CANDIDATES_MAX}`,
        [...day, after, needles],
      ),
    );
    if (page.length > 0) yield page;
    if (page.length < CANDIDATES_MAX) return;
    after = page.at(-1)!.id;
  }
}
