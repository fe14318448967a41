import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { type Bus, createInProcessBus } from '@warder/bus';
import {
  grantStateTopic,
  principalStateTopic,
  type SigningKeyState,
  signingKeyStateTopic,
  tokenStateTopic,
} from '@warder/contracts';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger, type Logger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AdminAccess } from './admin-access.js';
import { pepper, service } from './admin-access.scene.js';
import type { RefusedRequest } from './refused-requests.js';

const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log: Logger = createLogger('test', { level: 'silent' });
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const MINUTE_S = 60;

let bus: Bus;
let running: RunningHost;
let keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

async function start(admin: object = {}): Promise<void> {
  running = await startServiceForTest(service, pepper, { bus, clock, settings: { admin } });
}

/** Identity tells of an administrator and of the key that signs. */
async function tell(): Promise<void> {
  await bus.own(principalStateTopic);
  await bus.own(tokenStateTopic);
  const state = { ...principalStateTopic.example, id: 'usr_root', version: 1, roles: ['admin' as const] };
  await bus.publish(principalStateTopic, 'usr_root', state);
  await vi.waitFor(async () => expect((await request(running.url).get('/readyz')).status).toBe(200));
}

async function tellKeys(): Promise<void> {
  const jwk = keys.publicKey.export({ format: 'jwk' }) as SigningKeyState['jwk'];
  await bus.publish(signingKeyStateTopic, 'k1', { version: 1, status: 'active', id: 'k1', algorithm: 'ES256', jwk });
  await bus.own(signingKeyStateTopic);
  await bus.own(grantStateTopic);
  await vi.waitFor(async () => expect((await ask('get', bearer())).status).toBe(200));
}

/** An access token for the admin doors, of somebody who signed in `agoS` seconds ago. */
function bearer(agoS = 10, claims: object = {}): string {
  const nowS = Date.now() / 1_000;
  const all = {
    iss: running.url,
    sub: 'usr_root',
    aud: `${running.url}/admin`,
    client_id: 'ops-console',
    client_name: 'Ops console',
    client_by: 'advance',
    grant_id: 'g1',
    iat: nowS - 1,
    exp: nowS + 600,
    auth_time: Math.floor(nowS - agoS),
    ...claims,
  };
  const signed = `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })}.${part(all)}`;
  const seal = sign('sha256', Buffer.from(signed), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${seal.toString('base64url')}`;
}

const ask = (method: 'get' | 'post', token: string): request.Test =>
  method === 'get'
    ? request(running.url).get('/admin/test').set('authorization', `Bearer ${token}`)
    : request(running.url).post('/admin/test/1').set('authorization', `Bearer ${token}`).send({});
/** What a change is answered; the controller of the scene refuses every change that reaches it with 412. */
const change = async (token: string): Promise<[number, string]> => {
  const { status, body } = await ask('post', token);
  return [status, body.error.code as string];
};
const DONE = [412, 'WDR_VERSION_MISMATCH'];

beforeEach(() => {
  keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  bus = createInProcessBus({ node: 'n1', log, clock });
});
afterEach(async () => {
  await running.stop();
  await bus.close();
});

describe('a client that people administer through', () => {
  it('is let in by a token for these doors, with the roles of its person', async () => {
    await start();
    await tell();
    await tellKeys();
    const answer = await ask('get', bearer());
    expect([answer.status, answer.body.id]).toEqual([200, 'usr_root']);
    expect(await change(bearer())).toEqual(DONE);
  });

  it('is refused with a token for anything else, of another signer, expired or ended', async () => {
    await start();
    await tell();
    await tellKeys();
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const good = bearer();
    const forged = ((held) => {
      keys = other;
      const made = bearer();
      keys = held;
      return made;
    })(keys);
    const refused = [
      bearer(10, { aud: `${running.url}/mcp/dev` }),
      bearer(10, { aud: `${running.url}/admin/` }),
      bearer(10, { iss: 'https://elsewhere.example' }),
      bearer(10, { exp: Date.now() / 1_000 - 1 }),
      bearer(10, { sub: 'usr_nobody' }),
      forged,
    ];
    for (const token of refused) {
      const answer = await ask('get', token);
      expect([answer.status, answer.body.error.code]).toEqual([401, 'WDR_TOKEN_UNKNOWN']);
      expect(answer.headers['www-authenticate']).toBe(
        `Bearer error="invalid_token", resource_metadata="${running.url}/.well-known/oauth-protected-resource/admin", scope="admin"`,
      );
    }
    const ended = { ...grantStateTopic.example, version: 2, status: 'revoked' as const, id: 'g1' };
    await bus.publish(grantStateTopic, 'g1', { ...ended, expiresAtMs: Date.now() + 600_000 });
    expect((await ask('get', good)).status).toBe(401);
  });

  it('is not judged before the ends of grants were read; a personal token is', async () => {
    await start();
    await tell();
    const personal = issueToken(randomBytes);
    const state = { ...tokenStateTopic.example, id: 'pat_root', principalId: 'usr_root' };
    const expiresAtMs = Date.now() + 60_000;
    await bus.publish(tokenStateTopic, digestOf(personal, pepper.keys.p1), { ...state, expiresAtMs });
    expect((await ask('get', personal)).status).toBe(200);
    const answer = await ask('get', bearer());
    expect([answer.status, answer.body.error.code]).toEqual([503, 'WDR_NOT_READY']);
    await tellKeys();
  });

  it('is asked for a recent sign-in before it changes anything (RFC 9470), and reads without', async () => {
    await start();
    await tell();
    await tellKeys();
    const old = bearer(16 * MINUTE_S);
    for (const token of [old, bearer(10, { auth_time: undefined })]) {
      expect((await ask('get', token)).status).toBe(200);
      const answer = await ask('post', token);
      expect([answer.status, answer.body.error.code]).toEqual([401, 'WDR_SIGN_IN_NOT_RECENT']);
      expect(answer.headers['www-authenticate']).toContain('Bearer error="insufficient_user_authentication", ');
      expect(answer.headers['www-authenticate']).toContain('max_age="900"');
    }
    expect(await change(bearer(14 * MINUTE_S))).toEqual(DONE);
    const noted: RefusedRequest[] = [];
    const { refused } = running.app.get(AdminAccess);
    refused.writeTo('test', async (record) => void noted.push(record));
    await refused.flush();
    const [first] = noted.filter(({ refusal }) => refusal.code === 'WDR_SIGN_IN_NOT_RECENT');
    expect(first).toMatchObject({
      kind: 'admin',
      by: { principal: { id: 'usr_root' }, token: { id: 'g1', kind: 'oauth', client: { id: 'ops-console' } } },
      count: 2,
    });
  });

  it('is the only one to change anything where personal tokens only read', async () => {
    await start({ personalTokens: 'read', recentSignInMinutes: 5 });
    await tell();
    await tellKeys();
    const personal = issueToken(randomBytes);
    const state = { ...tokenStateTopic.example, id: 'pat_root', principalId: 'usr_root' };
    const expiresAtMs = Date.now() + 60_000;
    await bus.publish(tokenStateTopic, digestOf(personal, pepper.keys.p1), { ...state, expiresAtMs });
    expect((await ask('get', personal)).status).toBe(200);
    expect(await change(personal)).toEqual([401, 'WDR_SIGN_IN_NOT_RECENT']);
    expect(await change(bearer(6 * MINUTE_S))).toEqual([401, 'WDR_SIGN_IN_NOT_RECENT']);
    expect(await change(bearer(4 * MINUTE_S))).toEqual(DONE);
  });
});
