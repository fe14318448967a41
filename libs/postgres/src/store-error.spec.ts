import { inspect } from 'node:util';
import { AdminError } from '@warder/service-host';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { isUniqueViolation, StoreError, withStore } from './store-error.js';

let database: EmbeddedPostgres;
let source: DataSource;
beforeAll(async () => {
  database = await startEmbeddedPostgres({ ephemeral: true });
  source = await new DataSource({ type: 'postgres', url: database.url, poolErrorHandler: () => {} }).initialize();
  await source.query('CREATE TABLE kept (id text CONSTRAINT kept_once PRIMARY KEY)');
});
afterAll(async () => {
  await source.destroy();
  await database.stop();
});

async function failureOf(work: () => Promise<unknown>): Promise<Error & Partial<AdminError>> {
  try {
    await withStore(work);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}

describe('an error that leaves a store', () => {
  it('holds no parameter and no value of the row', async () => {
    const insert = () => source.query('INSERT INTO kept VALUES ($1)', ['canary-5c1f']);
    await insert();
    const error = await failureOf(insert);
    expect(error).toBeInstanceOf(StoreError);
    expect(error.message).toBe('statement failed: SQLSTATE 23505, kept_once');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary');
    const raw: unknown = await insert().then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(inspect(raw, { depth: 9 })).toContain('canary');
    expect(isUniqueViolation(raw, 'kept_once')).toBe(true);
    expect(isUniqueViolation(raw, 'other')).toBe(false);
  });

  it('is a refusal that says so when a statement takes too long or the database ends the connection', async () => {
    const slow = await failureOf(() =>
      source.transaction(async (manager) => {
        await manager.query('SET LOCAL statement_timeout = 20');
        await manager.query('SELECT pg_sleep(5)');
      }),
    );
    expect([slow.status, slow.code]).toEqual([503, 'WDR_STORE_UNAVAILABLE']);
    const cut = await failureOf(() =>
      source.transaction((manager) => manager.query('SELECT pg_terminate_backend(pg_backend_pid())')),
    );
    expect([cut.status, cut.code]).toEqual([503, 'WDR_STORE_UNAVAILABLE']);
    expect(await source.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is a refusal when nothing listens', async () => {
    const nobody = new DataSource({ type: 'postgres', url: 'postgres://warder@127.0.0.1:1/postgres' });
    const error = await failureOf(() => nobody.initialize());
    expect(error).toBeInstanceOf(AdminError);
    expect(error.status).toBe(503);
  });

  it('is itself when it has nothing to do with the database', async () => {
    const refusal = new AdminError(409, 'WDR_TEST', 'no');
    expect(await failureOf(() => Promise.reject(refusal))).toBe(refusal);
    const bug = new TypeError('a bug');
    expect(await failureOf(() => Promise.reject(bug))).toBe(bug);
  });
});
