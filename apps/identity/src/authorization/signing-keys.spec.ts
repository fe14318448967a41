import { afterAll, beforeAll, expect, it } from 'vitest';
import { AgentsScene } from '../agents/agents.scene.js';

const HOUR_MS = 3_600_000;
/** It is looked every few seconds what it is time for. */
const SOON = { timeout: 20_000, interval: 200 };
let scene: AgentsScene;
let account: { id: string; secret: string };
let aheadMs = 0;

interface Listed {
  readonly id: string;
  readonly state: string;
}

const pass = (ms: number): void => void (aheadMs += ms);
const kidOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid;
const newToken = async (): Promise<string> =>
  (await scene.clientCredentials(account.id, account.secret)).body.access_token;
const listed = async (): Promise<string[]> => {
  const { body } = await scene.identity.ask('GET', '/signing-keys');
  return (body['signingKeys'] as Listed[]).map(({ id, state }) => `${state} ${id}`);
};
const published = async (): Promise<string[]> => {
  const { keys } = (await (await fetch(`${scene.origin}/oauth/jwks`)).json()) as { keys: Record<string, string>[] };
  for (const key of keys) {
    expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  }
  return keys.map(({ kid }) => kid!);
};
const records = () =>
  scene.identity.records
    .filter(({ method }) => method.includes('signing-key'))
    .map(({ method, principal }) => `${method} ${principal === null ? 'by itself' : 'by an administrator'}`);
const isServed = (token: string): boolean => typeof scene.atIngress(token) !== 'string';

beforeAll(async () => {
  scene = await AgentsScene.start({}, { authorization: { signingKeyAheadSeconds: 60 } });
  scene.identity.nowMs = () => Date.now() + aheadMs;
  const id = await scene.serviceAccount(await scene.person('ana'));
  account = { id, secret: (await scene.secret(id, { expiresInDays: 365 })).secret };
});
afterAll(() => scene?.close());

it('tells of the next key before it signs, verifies by the old one what it signed, and lets that go in the end', async () => {
  const first = await newToken();
  const old = kidOf(first);
  expect(await listed()).toEqual([`signs ${old}`]);
  const { status, body } = await scene.identity.ask('POST', '/signing-keys/rotate?wait=5000');
  expect([status, body['state'], body['appliedEverywhere']]).toEqual([200, 'next', true]);
  const again = await scene.identity.ask('POST', '/signing-keys/rotate');
  expect([again.status, again.body.error.code]).toEqual([409, 'WDR_SIGNING_KEY_TURNING']);
  expect(await published()).toEqual([body.id, old]);
  expect(kidOf(await newToken())).toBe(old);
  pass(61_000);
  await expect.poll(async () => kidOf(await newToken()), SOON).toBe(body.id);
  const second = await newToken();
  expect([isServed(first), isServed(second)]).toEqual([true, true]);
  expect(await published()).toEqual([body.id, old]);
  // Its last token has expired by then, at any clock.
  pass(HOUR_MS + 299_000);
  expect([await published(), scene.identity.signingKeys.get(old)!.status]).toEqual([[body.id, old], 'active']);
  pass(60_000);
  await expect.poll(published, SOON).toEqual([body.id]);
  await expect.poll(() => scene.identity.signingKeys.get(old)!.status).toBe('retired');
  expect(await listed()).toEqual([`signs ${body.id}`, `retired ${old}`]);
  expect(await scene.identity.query(`SELECT sealed FROM identity.signing_key WHERE id = '${old}'`)).toEqual([
    { sealed: '' },
  ]);
  expect(scene.identity.signingKeys.get(kidOf(await newToken()))).toMatchObject({ status: 'active' });
  await expect
    .poll(records)
    .toEqual([
      'admin/identity/signing-key.rotate by an administrator',
      'admin/identity/signing-key.sign by itself',
      'admin/identity/signing-key.retire by itself',
    ]);
}, 90_000);

it('makes the next key by itself when the one that signs is old', async () => {
  const [before] = await published();
  pass(91 * 24 * HOUR_MS);
  await expect
    .poll(async () => (await listed()).map((line) => line.split(' ')[0]), SOON)
    .toEqual(['next', 'signs', 'retired']);
  expect((await published()).at(-1)).toBe(before);
  expect(records().at(-1)).toBe('admin/identity/signing-key.rotate by itself');
});
