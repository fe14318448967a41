import type { AuditCallsQuery, QuarantineQuery, WhoUsedQuery } from '@warder/contracts';
import { withStore } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { ColdStore, RecordKey } from './archive/cold.store.js';
import { sampleText } from './archive/use-samples.js';
import { AT, type CallPages, type FoundRecord } from './call-pages.store.js';
import { decodeCursor, encodeCursor, type PageCursor } from './page-cursor.js';
import { dayOf } from './partition.store.js';
import { recordTexts } from './record-texts.store.js';
import { decodeUseCursor, encodeUseCursor, type UseCursor, type UseKey } from './use-cursor.js';
import { whoUsedStatement } from './who-used.js';

const DAY_MS = 86_400_000;

/** A use without its samples, as JSON text, and where its samples lie. */
interface Use {
  readonly key: UseKey;
  readonly head: string;
  readonly keys: readonly RecordKey[];
}

/**
 * Answers questions about records. Answers are texts of JSON in which records stand as they came, so that numbers
 * survive to the digit.
 */
export class CallStore {
  /** @param cold - days that have left Postgres, where there is an archive */
  constructor(
    private readonly source: DataSource,
    private readonly pages: CallPages,
    private readonly cold?: ColdStore,
  ) {}

  /** `{calls, nextCursor}`, newest first. */
  async calls(query: AuditCallsQuery): Promise<string> {
    const { found, next } = await this.pages.page(query);
    return pageText('calls', found, next);
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
    const text = found[0]?.text ?? (isUuid ? await this.cold?.record(recordId.toLowerCase()) : undefined);
    if (text === undefined) throw new AdminError(404, 'WDR_RECORD_UNKNOWN', 'no record has this id');
    return text;
  }

  /**
   * `{from, uses, nextCursor}`: which agent used which tool under whose identity, in the order of
   * upstream, tool, principal and credential.
   * @throws AdminError 400 WDR_BODY_INVALID for a cursor that no page gave
   */
  async whoUsed(query: WhoUsedQuery, nowMs: number): Promise<string> {
    const { source, limit, cursor } = query;
    const at = cursor === undefined ? { from: dayOf(nowMs - (query.days - 1) * DAY_MS) } : decodeUseCursor(cursor);
    const uses = source === 'archive' ? await this.archivedUses(query, at) : await this.countedUses(query, at);
    const page = uses.slice(0, limit);
    const texts = await this.withSamples(page);
    const next = uses.length > limit ? encodeUseCursor(at.from, page.at(-1)!.key) : null;
    return `{"from":"${at.from}T00:00:00.000Z","uses":[${texts.join(',')}],"nextCursor":${JSON.stringify(next)}}`;
  }

  /** `{rows, nextCursor}`: messages that are no records, newest first. */
  async quarantine(query: QuarantineQuery): Promise<string> {
    const { at, id } = query.cursor === undefined ? { at: null, id: null } : decodeCursor(query.cursor);
    const found = await withStore<FoundRecord[]>(() =>
      this.source.query(
        `SELECT ${AT('quarantined_at')} AS at, id, json_build_object('topic', topic, 'partition', partition,
           'offset', "offset", 'key', key, 'value', translate(encode(value, 'base64'), E'\\n', ''), 'reason', reason,
           'atMs', floor(extract(epoch FROM quarantined_at) * 1000))::text AS text
         FROM quarantine WHERE $1::timestamptz IS NULL OR (quarantined_at, id) < ($1::timestamptz, $2)
         ORDER BY quarantined_at DESC, id DESC LIMIT $3`,
        [at, id, query.limit + 1],
      ),
    );
    const page = found.slice(0, query.limit);
    return pageText('rows', page, found.length > query.limit ? page.at(-1)! : null);
  }

  private async countedUses(query: WhoUsedQuery, at: UseCursor): Promise<readonly Use[]> {
    const found = await withStore<{ key: UseKey; head: string; keys: string }[]>(() =>
      this.source.query(...whoUsedStatement(query, at)),
    );
    return found.map(({ key, head, keys }) => ({ key, head, keys: JSON.parse(keys) as RecordKey[] }));
  }

  private async archivedUses(query: WhoUsedQuery, at: UseCursor): Promise<readonly Use[]> {
    if (this.cold === undefined) throw new AdminError(404, 'WDR_ARCHIVE_ABSENT', 'no archive is configured');
    return this.cold.whoUsed(query, at);
  }

  /** The uses with their samples; what Postgres does not hold any more is looked for in the archive, all at once. */
  private async withSamples(uses: readonly Use[]): Promise<string[]> {
    const keys = uses.flatMap((use) => use.keys);
    const texts = await recordTexts(this.source, keys);
    const missing = keys.filter(({ id }) => !texts.has(id));
    const archived = missing.length === 0 ? [] : ((await this.cold?.records(missing)) ?? []);
    for (const { id, text } of archived) texts.set(id, text);
    return uses.map((use) => {
      const samples = use.keys.flatMap(({ id }) => texts.get(id) ?? []).map((text) => sampleText(text));
      return `${use.head.slice(0, -1)},"samples":[${samples.join(',')}]}`;
    });
  }
}

function pageText(name: string, found: readonly { readonly text: string }[], next: PageCursor | null): string {
  const nextCursor = next === null ? null : encodeCursor(next);
  return `{"${name}":[${found.map(({ text }) => text).join(',')}],"nextCursor":${JSON.stringify(nextCursor)}}`;
}
