import type { AuditCallsQuery, QuarantineQuery, WhoUsedQuery } from '@warder/contracts';
import { withStore } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { callFilter } from './call-filter.js';
import { decodeCursor, encodeCursor } from './page-cursor.js';
import { dayOf } from './partition.store.js';
import { WHO_USED } from './who-used.js';

const DAY_MS = 86_400_000;
/** The time to the microsecond, as a cursor holds it. */
const AT = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

interface Found {
  readonly at: string;
  readonly id: string;
  readonly text: string;
}

/**
 * Answers questions about records. Answers are texts of JSON in which records stand as they came, so that numbers
 * survive to the digit.
 */
export class CallStore {
  constructor(private readonly source: DataSource) {}

  /** `{calls, nextCursor}`, newest first. */
  async calls(query: AuditCallsQuery): Promise<string> {
    const { where, parameters } = callFilter(query);
    const found = await withStore<Found[]>(() =>
      this.source.query(
        `SELECT ${AT('occurred_at')} AS at, record_id AS id, record::text AS text FROM call_record WHERE ${where}
         ORDER BY occurred_at DESC, record_id DESC LIMIT $${parameters.length + 1}`,
        [...parameters, query.limit + 1],
      ),
    );
    return pageOf('calls', found, query.limit);
  }

  /**
   * One record.
   * @throws AdminError 404 WDR_RECORD_UNKNOWN
   */
  async call(recordId: string): Promise<string> {
    const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(recordId);
    const found: { text: string }[] = isUuid
      ? await withStore(() =>
          this.source.query('SELECT record::text AS text FROM call_record WHERE record_id = $1 LIMIT 1', [recordId]),
        )
      : [];
    if (!found[0]) throw new AdminError(404, 'WDR_RECORD_UNKNOWN', 'no record has this id');
    return found[0].text;
  }

  /** `{from, uses, isCut}`: which agent used which tool under whose identity, the most used first. */
  async whoUsed(query: WhoUsedQuery, nowMs: number): Promise<string> {
    const from = dayOf(nowMs - (query.days - 1) * DAY_MS);
    const found = await withStore<{ text: string }[]>(() =>
      this.source.query(WHO_USED, [from, query.upstream ?? null, query.tool ?? null, query.limit + 1]),
    );
    const uses = found.slice(0, query.limit).map(({ text }) => text);
    const isCut = found.length > query.limit;
    return `{"from":"${from}T00:00:00.000Z","uses":[${uses.join(',')}],"isCut":${isCut}}`;
  }

  /** `{rows, nextCursor}`: messages that are no records, newest first. */
  async quarantine(query: QuarantineQuery): Promise<string> {
    const { at, id } = query.cursor === undefined ? { at: null, id: null } : decodeCursor(query.cursor);
    const found = await withStore<Found[]>(() =>
      this.source.query(
        `SELECT ${AT('quarantined_at')} AS at, id, json_build_object('topic', topic, 'partition', partition,
           'offset', "offset", 'key', key, 'value', translate(encode(value, 'base64'), E'\\n', ''), 'reason', reason,
           'atMs', floor(extract(epoch FROM quarantined_at) * 1000))::text AS text
         FROM quarantine WHERE $1::timestamptz IS NULL OR (quarantined_at, id) < ($1::timestamptz, $2)
         ORDER BY quarantined_at DESC, id DESC LIMIT $3`,
        [at, id, query.limit + 1],
      ),
    );
    return pageOf('rows', found, query.limit);
  }
}

function pageOf(name: string, found: readonly Found[], limit: number): string {
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  const nextCursor = last === undefined ? null : encodeCursor(last);
  return `{"${name}":[${page.map(({ text }) => text).join(',')}],"nextCursor":${JSON.stringify(nextCursor)}}`;
}
