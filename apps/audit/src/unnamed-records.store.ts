import { withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';
import type { ColdStore } from './archive/cold.store.js';
import { RECORD_INDEX } from './record-place.js';

/** One question is asked of so much time, so that none outlives the bound of a statement. */
const WINDOW_MS = 3_600_000;
/** How much older than its log's last checkpoint a record is looked for that this one does not name. */
const LATE_MS = 3_600_000;

/** Records of a log that no checkpoint names, so that a bundle leaves them out. */
export interface UnnamedRecords {
  readonly log: string;
  readonly records: number;
}

/** The largest checkpoint of a log. */
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
  lastOf(log: string): Promise<LogHead | undefined>;
}

/** Wall milliseconds, `toMs` excluded. */
interface Time {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What of a time no checkpoint names, by log: all records of a log that has no checkpoint, and those behind the last one.
 * That one is missing between two others is for the verifier to say.
 */
export async function unnamedRecords(sources: UnnamedSources, time: Time): Promise<UnnamedRecords[]> {
  const { source, cold } = sources;
  const heads = new Map<string, LogHead | undefined>();
  const unnamed = new Map<string, number>();
  const headOf = async (log: string): Promise<LogHead | undefined> => {
    if (!heads.has(log)) heads.set(log, await sources.lastOf(log));
    return heads.get(log);
  };
  const add = (log: string, records: number): void => {
    if (records > 0) unnamed.set(log, (unnamed.get(log) ?? 0) + records);
  };
  for (let window = await nextWindow(source, time); window; window = await nextWindow(source, restOf(window, time))) {
    for (const { log, records } of await logsOf(source, window)) {
      const head = await headOf(log);
      if (head === undefined) add(log, records);
      else if (isLate(head, window)) add(log, await behind(source, head, window));
    }
  }
  for (const { log, records } of (await cold?.logsOf(time.fromMs, time.toMs)) ?? []) {
    const head = await headOf(log);
    if (head === undefined) add(log, records);
    else if (isLate(head, time)) add(log, await archivedBehind(cold!, head, time));
  }
  return [...unnamed].map(([log, records]) => ({ log, records })).toSorted((a, b) => (a.log < b.log ? -1 : 1));
}

const lateSinceMs = ({ at }: LogHead): number => Date.parse(at) - LATE_MS;
const isLate = (head: LogHead, { toMs }: Time): boolean => toMs > lateSinceMs(head);
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

function logsOf(source: DataSource, { fromMs, toMs }: Time): Promise<UnnamedRecords[]> {
  return withStore(() =>
    source.query(
      `SELECT log, count(*)::float8 AS records FROM call_record
       WHERE occurred_at >= to_timestamp($1::numeric / 1000.0) AND occurred_at < to_timestamp($2::numeric / 1000.0)
       GROUP BY log`,
      [fromMs, toMs],
    ),
  );
}

async function behind(source: DataSource, head: LogHead, { fromMs, toMs }: Time): Promise<number> {
  const [counted] = await withStore<{ records: number }[]>(() =>
    source.query(
      `SELECT count(*)::float8 AS records FROM call_record
       WHERE occurred_at >= to_timestamp($1::numeric / 1000.0) AND occurred_at < to_timestamp($2::numeric / 1000.0)
         AND log = $3 AND ${RECORD_INDEX} >= $4`,
      [Math.max(fromMs, lateSinceMs(head)), toMs, head.log, head.size],
    ),
  );
  return counted?.records ?? 0;
}

async function archivedBehind(cold: ColdStore, head: LogHead, { fromMs, toMs }: Time): Promise<number> {
  const places = { from: head.size, to: Number.MAX_SAFE_INTEGER };
  const found = await cold.recordsOfLog(head.log, places, Math.max(fromMs, lateSinceMs(head)), toMs - 1);
  return found.length;
}
