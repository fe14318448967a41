import type { AuditCallsQuery } from '@warder/contracts';
import { withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';
import type { ColdStore } from './archive/cold.store.js';
import { type CallFilter, callFilter } from './call-filter.js';
import type { PageCursor } from './page-cursor.js';
import type { TextIndexStore } from './text-index.store.js';

/** The time to the microsecond, as a cursor holds it. */
export const AT = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const COLUMNS = `${AT('occurred_at')} AS at, record_id AS id, record::text AS text`;
const NEWEST_FIRST = 'ORDER BY occurred_at DESC, record_id DESC';

/** A record and its place in the order of pages. */
export interface FoundRecord extends PageCursor {
  readonly text: string;
}

/** Records of a page, newest first, and where the next one begins. */
export interface CallPage {
  readonly found: readonly FoundRecord[];
  /** Null at the end. A page that looked at as much as it may is shorter than asked for, and not the last one. */
  readonly next: PageCursor | null;
}

export interface CallPagesParts {
  readonly source: DataSource;
  readonly textIndex: TextIndexStore;
  /** Days that have left Postgres, where there is an archive. */
  readonly cold: ColdStore | undefined;
  /** Records at most that one page looks through for a part of their arguments where no index helps. */
  readonly scanRowsMax: number;
}

/** Finds records page by page, in Postgres and in the archive. */
export class CallPages {
  constructor(private readonly parts: CallPagesParts) {}

  /** @throws AdminError 400 WDR_BODY_INVALID for a cursor that no page gave */
  async page(query: AuditCallsQuery): Promise<CallPage> {
    const filter = callFilter(query);
    const hot = query.text === undefined ? await this.all(filter, query.limit + 1) : await this.searched(query, filter);
    const found = hot.stoppedAt === undefined ? await this.withCold(query, hot.found) : hot;
    const page = found.found.slice(0, query.limit);
    const isCut = found.found.length > query.limit;
    return { found: page, next: isCut ? page.at(-1)! : (found.stoppedAt ?? null) };
  }

  private async all({ where, parameters }: CallFilter, limit: number): Promise<Searched> {
    const found = await this.select(
      `SELECT ${COLUMNS} FROM call_record WHERE ${where} ${NEWEST_FIRST} LIMIT ${limit}`,
      [...parameters],
    );
    return { found };
  }

  /** Looks through what no index covers up to the bound, then asks the index. */
  private async searched(query: AuditCallsQuery, filter: CallFilter): Promise<Searched> {
    const { scanRowsMax, textIndex } = this.parts;
    const limit = query.limit + 1;
    const scannedFrom = await textIndex.scannedFrom(query.text!);
    const since = scannedFrom === undefined ? '' : ` AND occurred_at >= '${scannedFrom}'::timestamptz`;
    const { text: _text, ...others } = query;
    const looked = callFilter(others);
    const [stop] = await this.select(
      `SELECT ${AT('occurred_at')} AS at, record_id AS id, '' AS text FROM call_record WHERE ${looked.where}${since}
       ${NEWEST_FIRST} OFFSET ${scanRowsMax - 1} LIMIT 1`,
      [...looked.parameters],
    );
    const until =
      stop === undefined ? '' : ` AND (occurred_at, record_id) >= ('${stop.at}'::timestamptz, '${stop.id}'::uuid)`;
    const scanned = await this.all({ ...filter, where: `${filter.where}${since}${until}` }, limit);
    if (stop !== undefined && scanned.found.length < limit) return { found: scanned.found, stoppedAt: stop };
    if (scanned.found.length >= limit || scannedFrom === undefined) return scanned;
    const where = `${filter.where} AND occurred_at < '${scannedFrom}'::timestamptz`;
    const indexed = await this.all({ ...filter, where }, limit - scanned.found.length);
    return { found: [...scanned.found, ...indexed.found] };
  }

  /** What stands in Postgres and, where the page reaches back to it, in the archive. */
  private async withCold(query: AuditCallsQuery, hot: readonly FoundRecord[]): Promise<Searched> {
    const { cold } = this.parts;
    if (cold === undefined) return { found: hot };
    if (hot.length > query.limit && !(await cold.reachesTo(hot.at(-1)!.at))) return { found: hot };
    const known = new Set(hot.map(({ id }) => id));
    const { rows, stoppedAt } = await cold.calls(query, query.limit + 1);
    const both = [...hot, ...rows.filter(({ id }) => !known.has(id))].sort(newestFirst).slice(0, query.limit + 1);
    if (stoppedAt === undefined) return { found: both };
    return { found: both.filter(({ at }) => at >= stoppedAt.at), stoppedAt };
  }

  private select(statement: string, parameters: unknown[]): Promise<FoundRecord[]> {
    return withStore(() => this.parts.source.query(statement, parameters));
  }
}

interface Searched {
  readonly found: readonly FoundRecord[];
  /** Set where the bound ended the search. */
  readonly stoppedAt?: PageCursor;
}

function newestFirst(a: FoundRecord, b: FoundRecord): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? 1 : -1;
}
