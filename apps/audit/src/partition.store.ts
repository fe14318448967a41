import { withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';

const DAY_MS = 86_400_000;
const DAYS_AHEAD = 7;
const PREFIX = 'call_record_';

/** The partitions of days to come are made ahead and those past retention are dropped. */
export class PartitionStore {
  constructor(
    private readonly source: DataSource,
    private readonly retentionDays: number,
  ) {}

  /** Makes and drops what is due. @returns days whose partition could not be made, for their records came before it */
  async maintain(nowMs: number): Promise<string[]> {
    const failed: string[] = [];
    for (let day = -1; day <= DAYS_AHEAD; day++) {
      if (!(await this.ensure(nowMs + day * DAY_MS))) failed.push(dayOf(nowMs + day * DAY_MS));
    }
    await this.drop(nowMs - this.retentionDays * DAY_MS);
    return failed;
  }

  private async ensure(atMs: number): Promise<boolean> {
    const day = dayOf(atMs);
    const name = PREFIX + day.replaceAll('-', '');
    const [found] = await withStore<{ exists: boolean }[]>(() =>
      this.source.query('SELECT to_regclass($1) IS NOT NULL AS exists', [name]),
    );
    if (found?.exists) return true;
    try {
      await this.source.query(
        `CREATE TABLE IF NOT EXISTS ${name} PARTITION OF call_record FOR VALUES FROM ('${day} 00:00Z') TO ('${dayOf(atMs + DAY_MS)} 00:00Z')`,
      );
      return true;
    } catch (error) {
      // The default partition holds records of that day already, or another process makes the same one.
      const code = (error as { code?: string }).code;
      if (code === '23514' || code === '42P07' || code === '23505') return false;
      throw error;
    }
  }

  private async drop(beforeMs: number): Promise<void> {
    const before = dayOf(beforeMs);
    await withStore(async () => {
      const rows: { name: string }[] = await this.source.query(
        `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'call_record'::regclass AND c.relname ~ '^${PREFIX}\\d{8}$' AND c.relname < $1`,
        [PREFIX + before.replaceAll('-', '')],
      );
      for (const { name } of rows) await this.source.query(`DROP TABLE IF EXISTS ${name}`);
      await this.source.query('DELETE FROM call_record_default WHERE occurred_at < $1', [`${before}T00:00:00Z`]);
      await this.source.query('DELETE FROM usage_day WHERE day < $1', [before]);
      await this.source.query('DELETE FROM quarantine WHERE quarantined_at < $1', [`${before}T00:00:00Z`]);
    });
  }
}

/** The UTC day of a time, as `YYYY-MM-DD`. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
