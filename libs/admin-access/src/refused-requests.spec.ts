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
  refused.writeTo('policy', async (record) => void records.push(record));
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
    [principalStateTopic.example.id, '10.0.0.1', 'WDR_ROLE_MISSING', 1],
    [undefined, '10.0.0.1', 'WDR_TOKEN_UNKNOWN', 2],
    [undefined, '10.0.0.2', 'WDR_TOKEN_UNKNOWN', 1],
  ]);
});

it('leaves a bounded number of records however many addresses there are, and forgets no request', async () => {
  const { records, refused } = kept();
  for (let at = 0; at < 5_000; at += 1) refused.note(stranger(`10.0.${at >> 8}.${at & 255}`));
  await refused.flush();
  expect(records).toHaveLength(101);
  expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
});

const ana = { principal: principalStateTopic.example, token: tokenStateTopic.example, address: '10.0.0.1' };
const byAna = (n: number, code = 'WDR_BODY_INVALID') => ({
  kind: 'admin' as const,
  by: ana,
  arguments: { method: 'PUT', route: '/admin/policy' },
  refusal: { code, detail: `key${n}: unknown key`, isForbidden: false },
});

it('tells refusals of one caller apart by their sentence, and past a bound by their code alone', async () => {
  const { records, refused } = kept();
  for (let n = 0; n < 1_000; n += 1) refused.note(byAna(n % 500));
  refused.note(byAna(7, 'WDR_POLICY_INVALID'));
  await refused.flush();
  expect(records.slice(0, 20).map(({ refusal, count }) => [refusal.detail, count])).toEqual(
    Array.from({ length: 20 }, (_, n) => [`key${n}: unknown key`, 2]),
  );
  const rest = { by: ana, arguments: { method: '', route: '/admin/policy' } };
  expect(records.slice(20)).toMatchObject([
    { ...rest, refusal: { code: 'WDR_BODY_INVALID' }, count: 960 },
    { ...rest, refusal: { code: 'WDR_POLICY_INVALID' }, count: 1 },
  ]);
});

it('records what people were refused beside a flood of strangers', async () => {
  const { records, refused } = kept();
  for (let at = 0; at < 1_000; at += 1) refused.note(stranger(`10.0.${at >> 8}.${at & 255}`));
  refused.note(byAna(1));
  await refused.flush();
  expect(records.filter(({ kind }) => kind === 'admin')).toMatchObject([{ by: ana, arguments: { method: 'PUT' } }]);
});

it('keeps no secret that stood where a key should, and no sentence of any length', async () => {
  const { records, refused } = kept();
  const refusal = { code: 'WDR_BODY_INVALID', isForbidden: false };
  refused.note({ ...byAna(1), refusal: { ...refusal, detail: 'AKIAQ3EGRVZJXK7PLM2N: unknown key' } });
  refused.note({ ...byAna(1), refusal: { ...refusal, detail: 'x'.repeat(1_000_000) } });
  await refused.flush();
  expect(records.map(({ refusal: { detail } }) => [detail.slice(0, 33), detail.length])).toEqual([
    ['[redacted:secret.aws-access-key]:', 45],
    ['x'.repeat(33), 500],
  ]);
});

it('has each service of a process keep what was refused on its own routes', async () => {
  const refused = new RefusedRequests();
  const kept: string[] = [];
  for (const service of ['identity', 'policy'])
    refused.writeTo(service, async ({ arguments: { route } }) => void kept.push(`${service}: ${route ?? 'none'}`));
  for (const route of ['/admin/policy', '/admin/identity/me', '/admin', null])
    refused.note({ ...byAna(1), arguments: { method: 'GET', route } });
  await refused.flush();
  expect(kept).toEqual(['policy: /admin/policy', 'identity: /admin/identity/me', 'identity: /admin', 'identity: none']);
});

it('keeps what cannot be written for the next window', async () => {
  const records: RefusedRequest[] = [];
  const refused = new RefusedRequests();
  let isAway = true;
  refused.writeTo('policy', async (record) => {
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
