import { approvalRequestedTopic, type PrincipalState } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CreateApprovals1790000070000 } from '../migrations/create-approvals.js';
import { ApprovalsStore, type ApprovalsStoreParts } from './approvals.store.js';

/** As many as a list reads at a time. */
const READ_AT_ONCE = 500;
let postgres: EmbeddedPostgres;
let source: DataSource;

beforeAll(async () => {
  postgres = await startEmbeddedPostgres({ ephemeral: true });
  source = new DataSource({ type: 'postgres', url: postgres.url, migrations: [CreateApprovals1790000070000] });
  await source.initialize();
  await source.runMigrations();
});
afterAll(async () => {
  await source?.destroy();
  await postgres?.stop();
});

const gus = { id: 'gus', kind: 'human', status: 'active', roles: [], groups: [], email: null } as unknown;

async function ask(from: number, count: number, principalId: string): Promise<void> {
  await source.query(
    `INSERT INTO approval (id, binding, status, is_open, request, principal_id, requested_at_ms, expires_at_ms)
     SELECT 'apr_' || lpad(n::text, 16, '0'), n::text, 'pending', true, $3, $4, n, 1e15
     FROM generate_series($1::int, $1::int + $2::int - 1) n`,
    [from, count, JSON.stringify({ ...approvalRequestedTopic.example, principalId }), principalId],
  );
}

it('lists what one may see once, whatever is asked and closed while it is read', async () => {
  await ask(1, 3, 'gus');
  await ask(10, READ_AT_ONCE - 1, 'many');
  let reads = 0;
  const changing = {
    query: async (sql: string, values: unknown[]) => {
      const rows: unknown = await source.query(sql, values);
      // After the first part: two of it are closed, so that what follows moves up, and the own one of it moves down.
      if (++reads === 1) {
        await source.query(
          `UPDATE approval SET is_open = false, status = 'denied' WHERE requested_at_ms IN (3, 20, 21)`,
        );
        await ask(9_000, 1, 'many');
      }
      return rows;
    },
  };
  const parts = { source: changing, people: () => undefined } as unknown as ApprovalsStoreParts;
  const listed = await new ApprovalsStore(parts).list(gus as PrincipalState);
  expect(listed.map(({ askedAtMs }) => askedAtMs)).toEqual([3, 2, 1]);
});
