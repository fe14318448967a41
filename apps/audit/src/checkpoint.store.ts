import { createHash } from 'node:crypto';
import { type AuditCheckpoint, type CheckpointsQuery, EVERY_SERVICE } from '@warder/contracts';
import { withStore } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { ColdStore, PlacedRecord } from './archive/cold.store.js';
import { RECORD_INDEX } from './record-place.js';
import { type UnnamedRecords, unnamedRecords } from './unnamed-records.store.js';

/**
 * Milliseconds before and behind the times of its checkpoints in which a record of a range is looked for, the next if it
 * is not there: a minute, an hour, a day, a hundred years.
 */
const WINDOWS_MS = [60_000, 3_600_000, 86_400_000, 3_155_760_000_000];

/** A record younger than this may wait for its checkpoint. */
const NAMED_WITHIN_MS = 60_000;

/** A checkpoint's place in its log, and its exact text. */
export interface StoredCheckpoint {
  readonly log: string;
  readonly size: number;
  readonly leavesFrom: number;
  /** ISO 8601. */
  readonly at: string;
  readonly text: string;
}

/** Keeps the checkpoints of every log, and finds the records that they name. */
export class CheckpointStore {
  /** @param cold - days that have left Postgres, where there is an archive */
  constructor(
    private readonly source: DataSource,
    private readonly cold: ColdStore | undefined,
    private readonly wallMs: () => number,
  ) {}

  /** Stores one, as the text that came; one that is there already stays. */
  async insert(checkpoint: AuditCheckpoint, text: string): Promise<void> {
    const { origin, size, leavesFrom, atMs } = checkpoint;
    const digest = createHash('sha256').update(text).digest('hex');
    await withStore(() =>
      this.source.query(
        `INSERT INTO checkpoint (log, size, digest, leaves_from, at, checkpoint)
         VALUES ($1, $2, $3, $4, to_timestamp($5::numeric / 1000.0), $6) ON CONFLICT DO NOTHING`,
        [origin, size, digest, leavesFrom, atMs, text],
      ),
    );
  }

  /** `{checkpoints, nextCursor}`: of one log or of all, in the order of log and size. */
  async page({ log, limit, cursor }: CheckpointsQuery): Promise<string> {
    const after = cursor === undefined ? undefined : placeOf(cursor);
    const found = await withStore<(StoredCheckpoint & { digest: string })[]>(() =>
      this.source.query(
        `SELECT log, size, digest, checkpoint::text AS text FROM checkpoint
         WHERE ($1::text IS NULL OR log = $1) AND ($2::text IS NULL OR (log, size, digest) > ($2, $3::bigint, $4))
         ORDER BY log, size, digest LIMIT $5`,
        [log ?? null, after?.log ?? null, after?.size ?? null, after?.digest ?? null, limit + 1],
      ),
    );
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    const nextCursor = last && Buffer.from(`${last.size} ${last.digest} ${last.log}`).toString('base64url');
    return `{"checkpoints":[${page.map(({ text }) => text).join(',')}],"nextCursor":${JSON.stringify(nextCursor ?? null)}}`;
  }

  /** Checkpoints that name the record at the index, the smallest first: one, unless somebody forges or a node forks. */
  naming(log: string, index: number): Promise<StoredCheckpoint[]> {
    return this.find('log = $1 AND leaves_from <= $2 AND size > $2 ORDER BY size, digest LIMIT 10', [log, index]);
  }

  /** The checkpoint of a size, where a range begins. */
  async ofSize(log: string, size: number): Promise<StoredCheckpoint | undefined> {
    return (await this.find('log = $1 AND size = $2 ORDER BY digest LIMIT 1', [log, size]))[0];
  }

  /** Checkpoints made in a time, `to` excluded, each behind the one where its log goes on from. */
  between(from: string, to: string): Promise<StoredCheckpoint[]> {
    return this.find('at >= $1::timestamptz AND at < $2::timestamptz ORDER BY log, size, digest', [from, to]);
  }

  /**
   * The last checkpoint before `from` of each log of admin acts that has none in the time: that a log had nothing to sign is
   * told apart from a log that is not there any more.
   */
  async quietAdmin(from: string, to: string): Promise<StoredCheckpoint[]> {
    const logs = EVERY_SERVICE.map((service) => `admin/${service}`);
    return this.find(
      `(log, size, digest) IN (
        SELECT last.log, last.size, last.digest FROM unnest($3::text[]) AS known (log) CROSS JOIN LATERAL (
          SELECT log, size, digest FROM checkpoint AS earlier
          WHERE earlier.log = known.log AND at < $1::timestamptz ORDER BY size DESC, digest LIMIT 1) AS last
        WHERE NOT EXISTS (SELECT FROM checkpoint AS made
          WHERE made.log = known.log AND at >= $1::timestamptz AND at < $2::timestamptz)
      ) ORDER BY log`,
      [from, to, logs],
    );
  }

  /** Records of a time that no checkpoint names, by log; those that are too young to have one do not count. */
  unnamed(from: string, to: string): Promise<UnnamedRecords[]> {
    const { source, cold } = this;
    const toMs = Math.min(Date.parse(to), this.wallMs() - NAMED_WITHIN_MS);
    const headOf = async (log: string): Promise<StoredCheckpoint | undefined> =>
      (
        await this.find(
          'log = $1 AND at >= $2::timestamptz AND at < $3::timestamptz ORDER BY size DESC, digest LIMIT 1',
          [log, from, to],
        )
      )[0];
    return unnamedRecords({ source, cold, headOf }, { fromMs: Date.parse(from), toMs });
  }

  /**
   * The exact texts of the records that a checkpoint names, in their order. No index serves this: they are looked for
   * around the times of the checkpoints, in Postgres and then in the archive, and further away only where they are not all
   * there.
   */
  async recordsOf(range: StoredCheckpoint, previous: StoredCheckpoint | undefined): Promise<string[]> {
    const isWhole = ({ length }: readonly PlacedRecord[]): boolean => length >= range.size - range.leavesFrom;
    const since = Date.parse(previous?.at ?? range.at);
    const until = Date.parse(range.at);
    let found: PlacedRecord[] = [];
    for (const windowMs of WINDOWS_MS) {
      found = await this.stored(range, since - windowMs, until + windowMs);
      if (!isWhole(found)) found = inOrder(found, await this.archived(range, since - windowMs, until + windowMs));
      if (isWhole(found)) break;
    }
    return found.map(({ text }) => text);
  }

  private stored({ log, leavesFrom, size }: StoredCheckpoint, fromMs: number, toMs: number): Promise<PlacedRecord[]> {
    return withStore(() =>
      this.source.query(
        `SELECT record_id AS id, ${RECORD_INDEX}::float8 AS index, record::text AS text FROM call_record
         WHERE occurred_at >= to_timestamp($4::numeric / 1000.0) AND occurred_at <= to_timestamp($5::numeric / 1000.0)
           AND log = $1 AND ${RECORD_INDEX} >= $2 AND ${RECORD_INDEX} < $3
         ORDER BY ${RECORD_INDEX}, record_id`,
        [log, leavesFrom, size, fromMs, toMs],
      ),
    );
  }

  private async archived(range: StoredCheckpoint, fromMs: number, toMs: number): Promise<PlacedRecord[]> {
    const places = { from: range.leavesFrom, to: range.size };
    return (await this.cold?.recordsOfLog(range.log, places, fromMs, toMs)) ?? [];
  }

  private async find(where: string, values: unknown[]): Promise<StoredCheckpoint[]> {
    const rows = await withStore<(StoredCheckpoint & { size: string; leavesFrom: string })[]>(() =>
      this.source.query(
        `SELECT log, size, leaves_from AS "leavesFrom", to_json(at)#>>'{}' AS at, checkpoint::text AS text
         FROM checkpoint WHERE ${where}`,
        values,
      ),
    );
    return rows.map((row) => ({ ...row, size: Number(row.size), leavesFrom: Number(row.leavesFrom) }));
  }
}

/** Those of the store and those of the archive that it does not hold. */
function inOrder(stored: readonly PlacedRecord[], archived: readonly PlacedRecord[]): PlacedRecord[] {
  const known = new Set(stored.map(({ id }) => id));
  const all = [...stored, ...archived.filter(({ id }) => !known.has(id))];
  return all.sort((one, other) => one.index - other.index || (one.id < other.id ? -1 : 1));
}

/** @throws AdminError 400 WDR_BODY_INVALID for a text that no page gave */
function placeOf(cursor: string): { log: string; size: string; digest: string } {
  const [, size, digest, log] =
    /^(\d{1,16}) ([0-9a-f]{64}) (.+)$/s.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (size === undefined || digest === undefined || log === undefined || log.includes('\0')) {
    throw new AdminError(400, 'WDR_BODY_INVALID', 'cursor: not one that a page gave');
  }
  return { log, size, digest };
}
