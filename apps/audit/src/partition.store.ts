import { withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';

const DAY_MS = 86_400_000;
const DAYS_AHEAD = 7;
const PREFIX = 'call_record_';

/** The days of the store: a partition for each, and the default one for records of a day that has none. */
export class PartitionStore {
  constructor(private readonly source: DataSource) {}

  /** Makes the days to come. @returns days whose partition could not be made, for their records came before it */
  async ensureAhead(nowMs: number): Promise<string[]> {
    const failed: string[] = [];
    for (let day = -1; day <= DAYS_AHEAD; day++) {
      if (!(await this.ensure(nowMs + day * DAY_MS))) failed.push(dayOf(nowMs + day * DAY_MS));
    }
    return failed;
  }

  /** Days before `day` of which the store holds something, in a partition or in the default one; oldest first. */
  async daysBefore(day: string): Promise<string[]> {
    return withStore(async () => {
      const rows: { day: string }[] = await this.source.query(
        `SELECT to_char(to_date(right(c.relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') AS day
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'call_record'::regclass AND c.relname ~ '^${PREFIX}\\d{8}$' AND c.relname < $1
         UNION SELECT DISTINCT to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
         FROM call_record_default WHERE occurred_at < $2::timestamptz
         ORDER BY day`,
        [partitionOf(day), `${day}T00:00:00Z`],
      );
      return rows.map((row) => row.day);
    });
  }

  /** Records of the day. */
  async count(day: string): Promise<number> {
    const [row] = await withStore<[{ rows: number }]>(() =>
      this.source.query(
        `SELECT count(*)::float8 AS rows FROM call_record WHERE occurred_at >= $1::timestamptz AND occurred_at < $2::timestamptz`,
        rangeOf(day),
      ),
    );
    return row.rows;
  }

  /** Deletes the day's records for good. */
  async drop(day: string): Promise<void> {
    await withStore(() =>
      this.source.transaction(async (manager) => {
        await manager.query(`SET LOCAL lock_timeout = '2s'`);
        await manager.query(`DROP TABLE IF EXISTS ${partitionOf(day)}`);
        await manager.query(
          'DELETE FROM call_record_default WHERE occurred_at >= $1::timestamptz AND occurred_at < $2::timestamptz',
          rangeOf(day),
        );
      }),
    );
  }

  /** Deletes what was counted by days before `day`; that it was used, how often, and from when until when, is kept. */
  async dropRollUps(day: string): Promise<void> {
    await withStore(() =>
      this.source.query(
        `WITH gone AS (DELETE FROM usage_day WHERE day < $1::date RETURNING *)
         INSERT INTO usage_seen AS s (upstream, tool, principal_id, agent_id, calls, first_at, last_at)
         SELECT upstream, tool, principal_id, agent_id, sum(permitted), min(first_at), max(last_at)
         FROM gone WHERE permitted > 0 GROUP BY 1, 2, 3, 4
         ON CONFLICT (upstream, tool, principal_id, agent_id) DO UPDATE SET calls = s.calls + excluded.calls,
           first_at = least(s.first_at, excluded.first_at), last_at = greatest(s.last_at, excluded.last_at)`,
        [day],
      ),
    );
  }

  /** Deletes what was set aside before `day`. */
  async dropQuarantine(day: string): Promise<void> {
    await withStore(() =>
      this.source.query('DELETE FROM quarantine WHERE quarantined_at < $1::timestamptz', [`${day}T00:00:00Z`]),
    );
  }

  private async ensure(atMs: number): Promise<boolean> {
    const name = partitionOf(dayOf(atMs));
    const [found] = await withStore<{ exists: boolean }[]>(() =>
      this.source.query('SELECT to_regclass($1) IS NOT NULL AS exists', [name]),
    );
    if (found?.exists) return true;
    const [from, to] = rangeOf(dayOf(atMs));
    try {
      await this.source.query(
        `CREATE TABLE IF NOT EXISTS ${name} PARTITION OF call_record FOR VALUES FROM ('${from}') TO ('${to}')`,
      );
      return true;
    } catch (error) {
      // 23514: the default partition holds records of that day. The others: another process makes the same one.
      const code = (error as { code?: string }).code;
      if (code === '23514') return false;
      if (code === '42P07' || code === '23505') return true;
      throw error;
    }
  }
}

/** The UTC day of a time, as `YYYY-MM-DD`. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** The name of the partition of a UTC day. */
export function partitionOf(day: string): string {
  return PREFIX + day.replaceAll('-', '');
}

/** The first moment of a UTC day and that of the next one. */
export function rangeOf(day: string): [string, string] {
  return [`${day}T00:00:00Z`, `${dayOf(Date.parse(`${day}T00:00:00Z`) + DAY_MS)}T00:00:00Z`];
}
