import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { isStoreUnavailable } from './store-error.js';

const RETRY_MS = 500;

/**
 * Connects, makes the schema and runs the migrations, one process at a time.
 * @param startTimeoutMs - how long to wait for a database that is not reachable yet
 * @throws Error in one sentence when it is not reachable in time; a failing migration's own error
 */
export async function openDatabase(source: DataSource, schema: string, startTimeoutMs: number): Promise<DataSource> {
  const lastMs = performance.now() + startTimeoutMs;
  for (;;) {
    try {
      if (!source.isInitialized) await source.initialize();
      await migrate(source, schema);
      return source;
    } catch (error) {
      if (source.isInitialized) await source.destroy().catch(() => {});
      if (!isStoreUnavailable(error)) throw error;
      if (performance.now() > lastMs) {
        throw new Error(`the database of ${schema} is not reachable: ${(error as Error).message}`, { cause: error });
      }
    }
    await delay(RETRY_MS);
  }
}

async function migrate(source: DataSource, schema: string): Promise<void> {
  const guard = source.createQueryRunner();
  try {
    // Two processes of one service may start at once; the lock goes with the connection.
    await guard.query(`SELECT pg_advisory_lock(hashtext('warder-migrations'), hashtext($1))`, [schema]);
    await guard.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
    await source.runMigrations({ transaction: 'each' });
    await guard.query(`SELECT pg_advisory_unlock(hashtext('warder-migrations'), hashtext($1))`, [schema]);
  } finally {
    await guard.release();
  }
}
