import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { IdentityScene } from '../identity.scene.js';
import { base64, ENTITY_ID, logoutRequestOf, makeKey, signed, type TestKey } from './saml/saml-company.scene.js';

const LIMIT = 3;
let scene: IdentityScene;
let key: TestKey;
let nowMs = performance.now();

const at = (path: string) => `${scene.running!.url}/sign-in/${path}`;
const recorded = () =>
  scene.records.flatMap(({ refusal, personal }) =>
    refusal === null ? [] : [`${refusal.code} ${personal?.refusalDetail}`],
  );
const post = (path: string, form: Record<string, string>) =>
  fetch(at(path), { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
const signOut = () =>
  post('logout/saml', {
    SAMLRequest: base64(signed(logoutRequestOf(at('logout/saml'), 'nobody'), 'LogoutRequest', key)),
  });
const statusesOf = async (times: number, ask: () => Promise<Response>): Promise<number[]> => {
  const statuses = [];
  for (let asked = 0; asked < times; asked += 1) statuses.push((await ask()).status);
  return statuses;
};

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-limits-'));
  key = makeKey(directory, 'current');
  rmSync(directory, { recursive: true });
  const oidc = { issuer: 'http://127.0.0.1:1', clientId: 'w', clientSecret: 's', allowPrivateAddress: true };
  const saml = { entityId: ENTITY_ID, ssoUrl: 'https://idp.corp.example/sso', certificates: [key.certificate] };
  scene = await IdentityScene.create();
  scene.monotonicMs = () => nowMs;
  await scene.start({
    signIn: {
      attemptsPerMinute: LIMIT,
      providers: [
        { kind: 'oidc', id: 'oidc', name: 'Oidc', ...oidc },
        { kind: 'saml', id: 'saml', name: 'Saml', ...saml },
      ],
    },
  });
});
// What was counted before counts no more.
beforeEach(() => void (nowMs += 3_600_000));
afterAll(() => scene?.close());

it('lets an address come back from a provider so often, whatever it brings, and says when to try again', async () => {
  const comeBack = () => fetch(at('callback/oidc?state=x&code=y'));
  expect(await statusesOf(LIMIT, comeBack)).toEqual([400, 400, 400]);
  const refused = await comeBack();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '20']);
  expect(await refused.text()).toContain('Too many attempts. Wait a minute and try again.');
  await expect
    .poll(recorded, { timeout: 15_000 })
    .toContain('WDR_SIGN_IN_RATE_LIMITED Too many attempts. Wait a minute and try again.');
  // Counted by itself: who comes back may still send a form.
  expect((await post('nobody', {})).status).toBe(400);
  nowMs += 20_000;
  expect((await comeBack()).status).toBe(400);
});

it('hears any number of sign-outs that a provider signed, and of those that it did not sign so many', async () => {
  expect(await statusesOf(LIMIT * 2, signOut)).toEqual([200, 200, 200, 200, 200, 200]);
  const forged = (method: string) =>
    method === 'GET' ? fetch(at('logout/saml?SAMLRequest=x')) : post('logout/saml', { SAMLRequest: base64('<a/>') });
  expect([(await forged('GET')).status, (await forged('POST')).status, (await forged('GET')).status]).toEqual([
    400, 400, 400,
  ]);
  const refused = [await forged('GET'), await forged('POST'), await signOut()];
  expect(refused.map(({ status }) => status)).toEqual([429, 429, 429]);
  expect(refused[0]!.headers.get('retry-after')).toBe('20');
  await expect
    .poll(recorded, { timeout: 15_000 })
    .toContain('WDR_SIGN_IN_RATE_LIMITED Too many messages that were not taken. Wait a minute.');
  nowMs += 20_000;
  expect((await signOut()).status).toBe(200);
});
