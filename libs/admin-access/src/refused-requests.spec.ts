import { principalStateTopic, tokenStateTopic } from '@warder/contracts';
import { expect, it } from 'vitest';
import { type RefusedRequest, RefusedRequests } from './refused-requests.js';

const stranger = (address: string, code = 'WDR_TOKEN_UNKNOWN') => ({
  kind: 'authentication' as const,
  by: { principal: null, token: null, address },
  arguments: { method: 'GET', route: '/admin/policy' },
  refusal: { code, detail: 'the token is not accepted', isForbidden: true },
});

function kept(): { records: RefusedRequest[]; refused: RefusedRequests } {
  const records: RefusedRequest[] = [];
  const refused = new RefusedRequests();
  refused.writeTo(async (record) => void records.push(record));
  return { records, refused };
}

it('leaves one record per code and caller, with how many there were', async () => {
  const { records, refused } = kept();
  for (const address of ['10.0.0.1', '10.0.0.1', '10.0.0.2']) refused.note(stranger(address));
  const by = { principal: principalStateTopic.example, token: tokenStateTopic.example, address: '10.0.0.1' };
  refused.note({ ...stranger('10.0.0.1', 'WDR_ROLE_MISSING'), kind: 'admin', by });
  expect(await refused.flush()).toBe(0);
  expect(await refused.flush()).toBe(0);
  expect(
    records.map(({ by: { principal, address }, refusal, count }) => [principal?.id, address, refusal.code, count]),
  ).toEqual([
    [undefined, '10.0.0.1', 'WDR_TOKEN_UNKNOWN', 2],
    [undefined, '10.0.0.2', 'WDR_TOKEN_UNKNOWN', 1],
    [principalStateTopic.example.id, '10.0.0.1', 'WDR_ROLE_MISSING', 1],
  ]);
});

it('leaves a bounded number of records however many addresses there are, and forgets no request', async () => {
  const { records, refused } = kept();
  for (let at = 0; at < 5_000; at += 1) refused.note(stranger(`10.0.${at >> 8}.${at & 255}`));
  await refused.flush();
  expect(records).toHaveLength(101);
  expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
});

it('keeps what cannot be written for the next window', async () => {
  const records: RefusedRequest[] = [];
  const refused = new RefusedRequests();
  let isAway = true;
  refused.writeTo(async (record) => {
    if (isAway) throw new Error('the database is away');
    records.push(record);
  });
  refused.note(stranger('10.0.0.1'));
  expect(await refused.flush()).toBe(1);
  refused.note(stranger('10.0.0.1'));
  isAway = false;
  expect(await refused.flush()).toBe(0);
  expect(records.map(({ count }) => count)).toEqual([2]);
});
