import type { DataSource, EntityManager } from 'typeorm';
import { rangeOf } from '../partition.store.js';

const FETCH_ROWS = 2_000;

/** One record of the store as it is archived. */
export interface DayRow {
  readonly recordId: string;
  readonly occurredAtMs: number;
  /** The record's exact text. */
  readonly text: string;
}

/**
 * The records of a UTC day in Postgres, oldest first, from one snapshot and without holding them all.
 * The day's time-out is that of each fetch.
 */
export async function* dayRows(source: DataSource, day: string): AsyncGenerator<DayRow> {
  const runner = source.createQueryRunner();
  try {
    await runner.startTransaction('REPEATABLE READ');
    await runner.query(
      `DECLARE day_rows NO SCROLL CURSOR FOR
       SELECT record_id AS id, (extract(epoch FROM occurred_at) * 1000)::float8 AS at, record::text AS text
       FROM call_record WHERE occurred_at >= $1::timestamptz AND occurred_at < $2::timestamptz
       ORDER BY occurred_at, record_id`,
      rangeOf(day),
    );
    for (;;) {
      const rows = (await runner.query(`FETCH ${FETCH_ROWS} FROM day_rows`)) as Fetched[];
      for (const { id, at, text } of rows) yield { recordId: id, occurredAtMs: at, text };
      if (rows.length < FETCH_ROWS) return;
    }
  } finally {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => {});
    await runner.release();
  }
}

/** How many records of the day the store holds, in the transaction of `manager`. */
export async function countDay(manager: EntityManager, day: string): Promise<number> {
  const [row] = (await manager.query(
    `SELECT count(*)::float8 AS rows FROM call_record
     WHERE occurred_at >= $1::timestamptz AND occurred_at < $2::timestamptz`,
    rangeOf(day),
  )) as [{ rows: number }];
  return row.rows;
}

interface Fetched {
  readonly id: string;
  readonly at: number;
  readonly text: string;
}
