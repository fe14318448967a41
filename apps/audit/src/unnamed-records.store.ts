import { withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';
import type { ColdStore } from './archive/cold.store.js';
import { RECORD_INDEX } from './record-place.js';

/** One question is asked of so much time, so that none outlives the bound of a statement. */
const WINDOW_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** How much older than the last checkpoint of the time a record is looked for that this one does not name. */
const LATE_MS = 3_600_000;

/** That the smallest checkpoint which reaches behind a place does not name it, or that none does. */
const isUnnamed = (log: string, index: string): string =>
  `coalesce((SELECT leaves_from > ${index} FROM checkpoint WHERE checkpoint.log = ${log} AND checkpoint.size > ${index}
    ORDER BY checkpoint.size, checkpoint.digest LIMIT 1), true)`;

/** Records of a log that no checkpoint names, so that a bundle leaves them out. */
export interface UnnamedRecords {
  readonly log: string;
  readonly records: number;
}

/** The last checkpoint that a log has in the time. */
export interface LogHead {
  readonly log: string;
  readonly size: number;
  /** ISO 8601. */
  readonly at: string;
}

/** Where records lie, and what names them. */
export interface UnnamedSources {
  readonly source: DataSource;
  /** Days that have left Postgres, where there is an archive. */
  readonly cold: ColdStore | undefined;
  headOf(log: string): Promise<LogHead | undefined>;
}

/** Wall milliseconds, `toMs` excluded. */
interface Time {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What of a time no checkpoint names, by log: of the records behind its last checkpoint of the time, or of all where it has
 * none. That one is missing between two others is for the verifier to say.
 */
export async function unnamedRecords(sources: UnnamedSources, time: Time): Promise<UnnamedRecords[]> {
  const { source, cold } = sources;
  const heads = new Map<string, LogHead | undefined>();
  const unnamed = new Map<string, number>();
  const look = async (log: string, within: Time, count: (behind: Behind) => Promise<number>): Promise<void> => {
    if (!heads.has(log)) heads.set(log, await sources.headOf(log));
    const head = heads.get(log);
    const sinceMs = head === undefined ? within.fromMs : Math.max(within.fromMs, Date.parse(head.at) - LATE_MS);
    if (sinceMs >= within.toMs) return;
    const records = await count({ log, index: head?.size, fromMs: sinceMs, toMs: within.toMs });
    if (records > 0) unnamed.set(log, (unnamed.get(log) ?? 0) + records);
  };
  for (let window = await nextWindow(source, time); window; window = await nextWindow(source, restOf(window, time)))
    for (const log of await logsOf(source, window)) await look(log, window, (behind) => stored(source, behind));
  for (const day of cold === undefined ? [] : await cold.daysOf(time.fromMs, time.toMs)) {
    const fromMs = Math.max(Date.parse(day), time.fromMs);
    const ofDay = { fromMs, toMs: Math.min(Date.parse(day) + DAY_MS, time.toMs) };
    for (const log of await cold!.logsOf(ofDay.fromMs, ofDay.toMs))
      await look(log, ofDay, (behind) => archived(source, cold!, behind));
  }
  return [...unnamed].map(([log, records]) => ({ log, records })).toSorted((a, b) => (a.log < b.log ? -1 : 1));
}

/** Records of a log and a time from a place in its tree on; all of them, those without a place too, where none is given. */
interface Behind extends Time {
  readonly log: string;
  readonly index: number | undefined;
}

const restOf = (window: Time, { toMs }: Time): Time => ({ fromMs: window.toMs, toMs });

/** From the first record on that Postgres holds of the time. */
async function nextWindow(source: DataSource, { fromMs, toMs }: Time): Promise<Time | undefined> {
  const [first] = await withStore<{ atMs: number | null }[]>(() =>
    source.query(
      `SELECT floor(extract(epoch FROM min(occurred_at)) * 1000)::float8 AS "atMs" FROM call_record
       WHERE occurred_at >= to_timestamp($1::numeric / 1000.0) AND occurred_at < to_timestamp($2::numeric / 1000.0)`,
      [fromMs, toMs],
    ),
  );
  const atMs = first?.atMs ?? null;
  return atMs === null ? undefined : { fromMs: Math.max(atMs, fromMs), toMs: Math.min(atMs + WINDOW_MS, toMs) };
}

async function logsOf(source: DataSource, { fromMs, toMs }: Time): Promise<string[]> {
  const rows = await withStore<{ log: string }[]>(() =>
    source.query(
      `SELECT DISTINCT log FROM call_record
       WHERE occurred_at >= to_timestamp($1::numeric / 1000.0) AND occurred_at < to_timestamp($2::numeric / 1000.0)`,
      [fromMs, toMs],
    ),
  );
  return rows.map(({ log }) => log);
}

function stored(source: DataSource, { log, index, fromMs, toMs }: Behind): Promise<number> {
  return countOf(
    source,
    `SELECT count(*)::float8 AS records FROM call_record
     WHERE occurred_at >= to_timestamp($1::numeric / 1000.0) AND occurred_at < to_timestamp($2::numeric / 1000.0)
       AND log = $3 AND ($4::bigint IS NULL OR ${RECORD_INDEX} >= $4) AND ${isUnnamed('$3', RECORD_INDEX)}`,
    [fromMs, toMs, log, index ?? null],
  );
}

async function archived(source: DataSource, cold: ColdStore, behind: Behind): Promise<number> {
  const { log, index: from, toMs } = behind;
  const sql = `SELECT count(*)::float8 AS records FROM unnest($2::bigint[]) AS place (index)
    WHERE ${isUnnamed('$1', 'place.index')}`;
  let records = 0;
  for (let { fromMs } = behind; fromMs < toMs; fromMs += WINDOW_MS) {
    const indexes = await cold.placesOfLog(log, fromMs, Math.min(fromMs + WINDOW_MS, toMs));
    const later = from === undefined ? indexes : indexes.filter((index) => index !== null && index >= from);
    if (later.length > 0) records += await countOf(source, sql, [log, later]);
  }
  return records;
}

async function countOf(source: DataSource, sql: string, values: unknown[]): Promise<number> {
  const [counted] = await withStore<{ records: number }[]>(() => source.query(sql, values));
  return counted?.records ?? 0;
}
