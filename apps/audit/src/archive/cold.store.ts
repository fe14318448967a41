import { existsSync } from 'node:fs';
import type { AuditCallsQuery, WhoUsedQuery } from '@warder/contracts';
import { dayOf } from '../partition.store.js';
import type { ArchiveStore, ArchivedDay } from './archive.store.js';
import { coldFilter } from './cold-filter.js';
import { type Duck, quoted } from './duck.js';
import type { UseCursor, UseKey } from '../use-cursor.js';
import { coldWhoUsed } from './cold-who-used.js';

/** Days of the first step back in time; each further step reads twice as many. */
const FIRST_STEP_DAYS = 2;

const SEARCHED_ROWS_MAX = 10_000_000;
/** A record's place, null where its text says none: a cast alone would round 1.5, and a text may be no JSON. */
const INDEX = `TRY(CASE WHEN regexp_full_match(raw_data->>'$.index', '[0-9]{1,15}') THEN (raw_data->>'$.index')::BIGINT END)`;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** A record that was found, as the pages of the store have it. */
export interface ColdRow {
  /** ISO 8601 with microseconds, in UTC. */
  readonly at: string;
  readonly id: string;
  readonly text: string;
}

/** Records, newest first. */
export interface ColdPage {
  readonly rows: readonly ColdRow[];
  /** Set where the bound ended the search: it goes on before this place. */
  readonly stoppedAt?: { readonly at: string; readonly id: string };
}

/** Where a record lies. */
export interface RecordKey {
  readonly atMs: number;
  readonly id: string;
}

/** Places of records in the tree of their log. */
export interface IndexRange {
  readonly from: number;
  /** Excluded. */
  readonly to: number;
}

/** A record's exact text and its place. */
export interface PlacedRecord {
  readonly id: string;
  readonly index: number;
  readonly text: string;
}

/** A use without its samples, as JSON text, and where its samples lie. */
export interface FoundUse {
  readonly key: UseKey;
  readonly head: string;
  readonly keys: readonly RecordKey[];
}

/** Answers questions about days that have left Postgres, from their files. */
export class ColdStore {
  constructor(
    private readonly archive: ArchiveStore,
    private readonly duck: Duck,
  ) {}

  /**
   * Up to `limit` records that the query asks for, newest first. A search for a part of arguments reads every row of the
   * days, so it stops behind the day with which it has read `SEARCHED_ROWS_MAX`.
   */
  async calls(query: AuditCallsQuery, limit: number): Promise<ColdPage> {
    const { where, parameters } = coldFilter(query);
    const days = (await this.coldDays()).filter(({ day }) => isWithin(day, query)).toReversed();
    const found: ColdRow[] = [];
    let searchedRows = 0;
    for (let at = 0, step = FIRST_STEP_DAYS; at < days.length && found.length < limit; at += step, step *= 2) {
      const some = days.slice(at, at + step);
      const paths = await this.archive.paths(some.at(-1)!.day, some[0]!.day);
      if (paths.length === 0) continue;
      const rows = await this.duck.rows(
        `SELECT time, metadata.uid AS id, raw_data FROM ${filesOf(paths)} WHERE ${where}
         ORDER BY time DESC, metadata.uid DESC LIMIT ${limit - found.length}`,
        parameters,
      );
      for (const [time, id, text] of rows as [bigint, string, string][]) {
        found.push({ at: microsecondsOf(time), id, text });
      }
      searchedRows += some.reduce((sum, { rows: ofDay }) => sum + ofDay, 0);
      const isSpent = query.text !== undefined && searchedRows >= SEARCHED_ROWS_MAX && at + step < days.length;
      if (isSpent && found.length < limit) return { rows: found, stoppedAt: startOf(some.at(-1)!.day) };
    }
    return { rows: found };
  }

  /** Whether a day that has left Postgres is as new as this time, ISO 8601 in UTC. */
  async reachesTo(at: string): Promise<boolean> {
    const newest = (await this.coldDays()).at(-1);
    return newest !== undefined && newest.day >= at.slice(0, 10);
  }

  /** The records of these keys, in any order. */
  async records(keys: readonly RecordKey[]): Promise<readonly { id: string; text: string }[]> {
    const days = new Set(keys.map(({ atMs }) => dayOf(atMs)));
    const cold = (await this.coldDays()).filter(({ day }) => days.has(day));
    const paths = (await Promise.all(cold.map(({ day }) => this.archive.paths(day, day)))).flat();
    if (paths.length === 0) return [];
    // The times let whole groups of rows be passed over: files are sorted by them.
    const rows = await this.duck.rows(
      `SELECT metadata.uid AS id, raw_data FROM ${filesOf(paths)}
       WHERE time IN (${keys.map(({ atMs }) => String(Math.floor(atMs))).join(', ')})
         AND metadata.uid IN (${keys.map(({ id }) => quoted(id)).join(', ')})`,
    );
    return (rows as [string, string][]).map(([id, text]) => ({ id, text }));
  }

  /**
   * Records of a log by their places in its tree, `to` excluded, in any order, of a time in milliseconds since 1970, both
   * ends included. A file that is gone, and a text that is no JSON any more, are answered by what is left: whoever verifies
   * it names what is missing.
   */
  async recordsOfLog(log: string, places: IndexRange, fromMs: number, toMs: number): Promise<PlacedRecord[]> {
    const paths = await this.pathsOf(fromMs, toMs);
    if (paths.length === 0) return [];
    // The times let whole groups of rows be passed over: files are sorted by them.
    const rows = await this.duck.rows(
      `SELECT metadata.uid, ${INDEX} AS index, raw_data FROM ${filesOf(paths)}
       WHERE time >= ${fromMs} AND time <= ${toMs} AND metadata.log_name = $1
         AND index >= ${places.from} AND index < ${places.to}`,
      [log],
    );
    return (rows as [string, bigint, string][]).map(([id, index, text]) => {
      return { id, index: Number(index), text };
    });
  }

  /** Days that have left Postgres, of a time in milliseconds since 1970, both ends included. */
  async daysOf(fromMs: number, toMs: number): Promise<readonly string[]> {
    if (toMs < fromMs) return [];
    const days = (await this.coldDays()).map(({ day }) => day);
    return days.filter((day) => day >= dayOf(fromMs) && day <= dayOf(toMs));
  }

  /** Logs that have records of a time in milliseconds since 1970, `toMs` excluded. */
  async logsOf(fromMs: number, toMs: number): Promise<readonly string[]> {
    const paths = await this.pathsOf(fromMs, toMs);
    if (paths.length === 0) return [];
    const rows = await this.duck.rows(
      `SELECT DISTINCT metadata.log_name FROM ${filesOf(paths)} WHERE time >= ${fromMs} AND time < ${toMs}`,
    );
    return (rows as [string][]).map(([log]) => log);
  }

  /** Places of a log's records of a time, as `logsOf` takes it; null for one whose text says none. */
  async placesOfLog(log: string, fromMs: number, toMs: number): Promise<readonly (number | null)[]> {
    const paths = await this.pathsOf(fromMs, toMs);
    if (paths.length === 0) return [];
    const rows = await this.duck.rows(
      `SELECT ${INDEX} AS index FROM ${filesOf(paths)}
       WHERE time >= ${fromMs} AND time < ${toMs} AND metadata.log_name = $1`,
      [log],
    );
    return (rows as [bigint | null][]).map(([index]) => (index === null ? null : Number(index)));
  }

  /** A record by its id alone: its time is not known, so every file is asked. */
  async record(recordId: string): Promise<string | undefined> {
    const days = await this.coldDays();
    const paths = days.length === 0 ? [] : await this.archive.paths(days[0]!.day, days.at(-1)!.day);
    if (paths.length === 0) return undefined;
    const rows = await this.duck.rows(`SELECT raw_data FROM ${filesOf(paths)} WHERE metadata.uid = $1 LIMIT 1`, [
      recordId,
    ]);
    return rows[0]?.[0] as string | undefined;
  }

  /** The uses that the archived records themselves show since the cursor's day, behind its key. */
  async whoUsed({ upstream, tool, limit }: WhoUsedQuery, { from, after }: UseCursor): Promise<readonly FoundUse[]> {
    const days = (await this.archive.days()).filter(({ day }) => day >= from);
    const paths = days.length === 0 ? [] : await this.archive.paths(days[0]!.day, days.at(-1)!.day);
    const calls = paths.filter((path) => path.includes('warder-6003'));
    if (calls.length === 0) return [];
    const sql = coldWhoUsed(filesOf(calls), limit + 1, after !== undefined);
    const rows = await this.duck.rows(sql, [upstream ?? null, tool ?? null, ...(after ?? [])]);
    return (rows as [string, string, string][]).map(([key, head, keys]) => {
      return { key: JSON.parse(key) as UseKey, head, keys: JSON.parse(keys) as RecordKey[] };
    });
  }

  /** Files of a time that are there. */
  private async pathsOf(fromMs: number, toMs: number): Promise<string[]> {
    const days = await this.daysOf(fromMs, toMs);
    const listed = (await Promise.all(days.map((day) => this.archive.paths(day, day)))).flat();
    return listed.filter((path) => existsSync(path));
  }

  private async coldDays(): Promise<readonly ArchivedDay[]> {
    return (await this.archive.days()).filter(({ isHot }) => !isHot);
  }
}

function filesOf(paths: readonly string[]): string {
  return `read_parquet([${paths.map(quoted).join(', ')}], union_by_name = true)`;
}

function isWithin(day: string, { from, to }: AuditCallsQuery): boolean {
  return (from === undefined || day >= from.slice(0, 10)) && (to === undefined || day <= to.slice(0, 10));
}

function microsecondsOf(timeMs: bigint): string {
  return new Date(Number(timeMs)).toISOString().replace('Z', '000Z');
}

function startOf(day: string): { at: string; id: string } {
  return { at: `${day}T00:00:00.000000Z`, id: FIRST_ID };
}
