import { approvalRequestedTopic, type PrincipalState, principalStateTopic } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApprovalsInOrder1790000093000 } from '../migrations/approvals-in-order.js';
import { CreateApprovals1790000070000 } from '../migrations/create-approvals.js';
import { rowsFrom } from './approval-rows.store.js';
import { ApprovalsReader } from './approvals-reader.store.js';

/** As many as a list reads at a time. */
const READ_AT_ONCE = 500;
const MANY = 20_000;
let postgres: EmbeddedPostgres;
let source: DataSource;

beforeAll(async () => {
  postgres = await startEmbeddedPostgres({ ephemeral: true });
  const migrations = [CreateApprovals1790000070000, ApprovalsInOrder1790000093000];
  source = new DataSource({ type: 'postgres', url: postgres.url, migrations });
  await source.initialize();
  await source.runMigrations();
});
afterAll(async () => {
  await source?.destroy();
  await postgres?.stop();
});
beforeEach(() => source.query('TRUNCATE approval'));

const person = (id: string, more: Partial<PrincipalState> = {}): PrincipalState => {
  return { ...principalStateTopic.example, id, roles: [], groups: [], email: null, ...more };
};
const gus = person('gus');
const auditor = person('audrey', { roles: ['auditor'] });
const reader = (of: Pick<DataSource, 'query'> = source) => new ApprovalsReader({ source: of, people: () => undefined });

async function ask(from: number, count: number, principalId: string, isOpen = true): Promise<void> {
  await source.query(
    `INSERT INTO approval (id, binding, status, is_open, request, principal_id, requested_at_ms, expires_at_ms)
     SELECT 'apr_' || lpad(n::text, 16, '0'), n::text, CASE WHEN $5 THEN 'pending' ELSE 'redeemed' END, $5, $3, $4, n, 1e15
     FROM generate_series($1::int, $1::int + $2::int - 1) n`,
    [from, count, JSON.stringify({ ...approvalRequestedTopic.example, principalId }), principalId, isOpen],
  );
}

/** All pages, one after the other. */
async function pages(visitor: PrincipalState, limit: number, status?: string): Promise<number[][]> {
  const found: number[][] = [];
  for (let cursor: string | undefined; ;) {
    const page = await reader().page(visitor, { limit, cursor, status });
    found.push(page.approvals.map(({ askedAtMs }) => askedAtMs));
    if (page.cursor === null) return found;
    cursor = page.cursor;
  }
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
  const { approvals } = await reader(changing as never).page(gus);
  expect(approvals.map(({ askedAtMs }) => askedAtMs)).toEqual([3, 2, 1]);
});

describe('a list of many', () => {
  it('is read page by page, each question once, open ones first and the newest of each', async () => {
    await ask(1, 1_200, 'many', false);
    await ask(2_001, 7, 'gus');
    const found = await pages(auditor, 300);
    expect(found.map(({ length }) => length)).toEqual([300, 300, 300, 300, 7]);
    const open = Array.from({ length: 7 }, (_, n) => 2_007 - n);
    expect(found.flat()).toEqual([...open, ...Array.from({ length: 1_200 }, (_, n) => 1_200 - n)]);
    expect((await pages(auditor, 500, 'pending')).flat()).toEqual(open);
  });

  it('ends just where the last page is full', async () => {
    await ask(1, 4, 'gus');
    expect(await pages(gus, 2)).toEqual([
      [4, 3],
      [2, 1],
    ]);
  });

  it('shows what is behind 20,000 of others, on a page of its own', async () => {
    await ask(1, 1, 'gus');
    await ask(2, MANY, 'many');
    expect(await pages(gus, 100)).toEqual([[], [1]]);
  });

  it('refuses a cursor that no page gave', async () => {
    for (const cursor of ['x', Buffer.from('2 1 apr_0000000000000001').toString('base64url')])
      await expect(reader().page(gus, { cursor })).rejects.toMatchObject({ code: 'WDR_BODY_INVALID' });
  });

  it.each([
    ['at its begin', undefined, undefined],
    ['in its middle', undefined, { isOpen: true, requestedAtMs: 9_000, id: 'apr_0000000000009000' }],
    ['of one status', 'pending', { isOpen: true, requestedAtMs: 9_000, id: 'apr_0000000000009000' }],
  ])('reads of 20,000 no more than a page %s, in the order of an index', async (_, status, behind) => {
    await ask(1, MANY / 2, 'many');
    await ask(MANY, MANY / 2, 'many', false);
    await source.query('ANALYZE approval');
    const explaining = {
      query: (sql: string, values: unknown[]) => source.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, values),
    };
    const [explained] = (await rowsFrom(explaining as never, 100, status, behind)) as unknown[];
    const nodes = nodesOf((explained as { 'QUERY PLAN': { Plan: Plan }[] })['QUERY PLAN'][0]!.Plan);
    expect(nodes.map((node) => node['Node Type'])).toEqual(['Limit', 'Index Scan']);
    for (const node of nodes) expect([node['Actual Rows'], node['Rows Removed by Filter'] ?? 0]).toEqual([100, 0]);
  });
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: Plan[];
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}
