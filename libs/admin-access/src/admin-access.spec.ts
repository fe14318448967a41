import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { type Bus, createInProcessBus } from '@warder/bus';
import { principalStateTopic, type Role, tokenStateTopic } from '@warder/contracts';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AdminAccess } from './admin-access.js';
import { pepper, service } from './admin-access.scene.js';
import type { RefusedRequest } from './refused-requests.js';

const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });

let bus: Bus;
let running: RunningHost;

async function know(role: Role, version = 1, tools: string[] | null = null): Promise<string> {
  const bearer = issueToken(randomBytes);
  const id = `usr_${role}`;
  await bus.publish(principalStateTopic, id, { ...principalStateTopic.example, id, version, roles: [role] });
  const state = { ...tokenStateTopic.example, id: `pat_${role}`, principalId: id, expiresAtMs: Date.now() + 60_000 };
  await bus.publish(tokenStateTopic, digestOf(bearer, pepper.keys.p1), { ...state, scopes: { tools } });
  return bearer;
}

async function own(): Promise<void> {
  await bus.own(principalStateTopic);
  await bus.own(tokenStateTopic);
  await vi.waitFor(async () => expect((await request(running.url).get('/readyz')).status).toBe(200));
}

/** The status of an answer to a POST of which nothing but the headers was sent. */
async function answerBeforeBody(headers: Record<string, string>, path = '/admin/test'): Promise<number | undefined> {
  const type = { 'content-type': 'application/json' };
  const asked = httpRequest(`${running.url}${path}`, { method: 'POST', headers: { ...type, ...headers } });
  asked.on('error', () => undefined).flushHeaders();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  asked.destroy();
  return answer.statusCode;
}

/** What has been refused so far, as it goes on record. */
async function recorded(): Promise<RefusedRequest[]> {
  const noted: RefusedRequest[] = [];
  const { refused } = running.app.get(AdminAccess);
  refused.writeTo('test', async (record) => void noted.push(record));
  await refused.flush();
  return noted;
}

const get = (path: string, authorization?: string): request.Test => {
  const asked = request(running.url).get(path);
  return authorization === undefined ? asked : asked.set('authorization', authorization);
};

beforeEach(async () => {
  bus = createInProcessBus({ node: 'n1', log, clock });
  running = await startServiceForTest(service, pepper, { bus, clock });
});
afterEach(async () => {
  await running.stop();
  await bus.close();
});

describe('the admin door', () => {
  it('lets nobody in before principals and tokens were read', async () => {
    const bearer = await know('admin');
    const answer = await get('/admin/test', `Bearer ${bearer}`);
    expect([answer.status, answer.body.error.code]).toEqual([503, 'WDR_NOT_READY']);
    await own();
    expect((await get('/admin/test', `Bearer ${bearer}`)).body).toEqual({ id: 'usr_admin', address: '127.0.0.1' });
  });

  it('tells a missing bearer from an unknown one, and nothing more', async () => {
    await own();
    const missing = await get('/admin/test');
    expect([missing.status, missing.body.error.code]).toEqual([401, 'WDR_TOKEN_MISSING']);
    expect(missing.headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${running.url}/.well-known/oauth-protected-resource/admin", scope="admin"`,
    );
    for (const wrong of [
      'Bearer nonsense',
      `Bearer ${issueToken(randomBytes)}`,
      'Basic YTpi',
      'Bearer',
      'Bearer a b',
    ]) {
      const answer = await get('/admin/test', wrong);
      expect([answer.status, answer.body.error.code]).toEqual([401, 'WDR_TOKEN_UNKNOWN']);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer error="invalid_token", /);
    }
  });

  it('asks for the role that the method names, or else its class', async () => {
    const [admin, auditor, member] = [await know('admin'), await know('auditor'), await know('member')];
    await own();
    const statuses = async (path: string): Promise<number[]> =>
      Promise.all([admin, auditor, member].map(async (bearer) => (await get(path, `Bearer ${bearer}`)).status));
    expect(await statuses('/admin/test')).toEqual([200, 403, 403]);
    expect(await statuses('/admin/test/records')).toEqual([403, 200, 403]);
    const refused = await get('/admin/test', `Bearer ${member}`);
    expect(refused.body.error).toEqual({ code: 'WDR_ROLE_MISSING', message: 'needs one of: admin' });
  });

  it('is shut where a controller names no role, and however the path is spelled', async () => {
    const admin = await know('admin');
    await own();
    expect((await get('/admin/forgotten', `Bearer ${admin}`)).status).toBe(403);
    expect((await get('/%61dmin/test')).status).toBe(401);
  });

  it('gives no role to a token that is cut to tools', async () => {
    const cut = await know('admin', 1, ['*/*']);
    await own();
    const answer = await get('/admin/test', `Bearer ${cut}`);
    expect([answer.status, answer.body.error.code]).toEqual([403, 'WDR_ROLE_MISSING']);
  });

  it('reads no body of a stranger, and no long one of who has no role but to be there', async () => {
    const [admin, member, cut] = [await know('admin'), await know('member'), await know('auditor', 1, ['*/*'])];
    await own();
    const long = { 'content-length': '9000000' };
    const answers = [
      await answerBeforeBody({ 'content-length': '10' }),
      await answerBeforeBody({ ...long, authorization: 'Bearer made-up' }),
      await answerBeforeBody({ 'transfer-encoding': 'chunked', authorization: 'Bearer made-up' }),
      await answerBeforeBody({ ...long, authorization: `Bearer ${member}` }),
      await answerBeforeBody({ 'transfer-encoding': 'chunked', authorization: `Bearer ${member}` }),
      await answerBeforeBody({ ...long, authorization: `Bearer ${cut}` }),
    ];
    expect(answers).toEqual([401, 401, 401, 403, 403, 403]);
    const small = request(running.url).post('/admin/none').set('authorization', `Bearer ${member}`).send({ a: 1 });
    expect((await small).status).toBe(404);
    const large = request(running.url).post('/admin/none').set('authorization', `Bearer ${admin}`);
    expect((await large.send({ a: 'x'.repeat(100_000) })).status).toBe(404);
  });

  it('leaves a side door to itself: no token of its own lets in there, and no other spelling of its path', async () => {
    const admin = await know('admin');
    await own();
    expect((await get('/side', 'word')).body).toEqual({ isIn: true });
    expect([(await get('/side', `Bearer ${admin}`)).status, (await get('/side')).status]).toEqual([401, 401]);
    const spelled = await Promise.all(['word', `Bearer ${admin}`].map((bearer) => get('/%73ide', bearer)));
    expect(spelled.map(({ status, body }) => [status, body.error.code])).toEqual([
      [404, 'WDR_PATH_UNKNOWN'],
      [404, 'WDR_PATH_UNKNOWN'],
    ]);
    expect((await get('/admin/test', 'word')).status).toBe(401);
  });

  it('notes what it refuses: who asked what of which route, and from where', async () => {
    const member = await know('member');
    await own();
    await get('/admin/test?secret=canary', `Bearer ${member}`);
    await get('/admin/test', 'Bearer canary');
    const noted = await recorded();
    expect(noted).toMatchObject([
      {
        kind: 'admin',
        by: { principal: { id: 'usr_member' }, token: { id: 'pat_member' }, address: '127.0.0.1' },
        arguments: { method: 'GET', route: '/admin/test' },
        refusal: { code: 'WDR_ROLE_MISSING', isForbidden: true },
      },
      { kind: 'authentication', by: { principal: null }, refusal: { code: 'WDR_TOKEN_UNKNOWN' } },
    ]);
    expect(JSON.stringify(noted)).not.toContain('canary');
  });

  it('notes what it refuses of those whom it let in, before a controller or behind it, and whoever threw', async () => {
    const admin = await know('admin');
    await own();
    const post = (body: string) =>
      request(running.url)
        .post('/admin/test/canary')
        .set({ authorization: `Bearer ${admin}`, 'content-type': 'application/json' })
        .send(body);
    await post('{"canary":');
    const authorization = `Bearer ${admin}`;
    expect(await answerBeforeBody({ authorization, 'content-length': '90000000' }, '/admin/test/canary')).toBe(413);
    await post('{"wait":409}');
    await post('{"canary":1}');
    await post('"a bug"');
    await get('/admin/canary?canary', `Bearer ${admin}`);
    await get('/admin/%canary', `Bearer ${admin}`);
    await get('/canary');
    const noted = await recorded();
    expect(
      noted.map(({ kind, by, arguments: { method, route }, refusal: { code, isForbidden }, count }) => [
        [kind, by.principal?.id, by.token?.id, by.address],
        [method, route],
        [code, isForbidden, count],
      ]),
    ).toEqual([
      ...['WDR_BODY_INVALID', 'WDR_BODY_TOO_LARGE', 'WDR_VERSION_MISMATCH', 'WDR_BODY_INVALID', 'WDR_INTERNAL'].map(
        (code) => [
          ['admin', 'usr_admin', 'pat_admin', '127.0.0.1'],
          ['POST', '/admin/test/:id'],
          [code, false, 1],
        ],
      ),
      [
        ['admin', 'usr_admin', 'pat_admin', '127.0.0.1'],
        ['GET', null],
        ['WDR_PATH_UNKNOWN', false, 2],
      ],
      [
        ['protocol', undefined, undefined, '127.0.0.1'],
        ['GET', null],
        ['WDR_PATH_UNKNOWN', false, 1],
      ],
    ]);
    expect(JSON.stringify(noted)).not.toContain('canary');
  });

  it('notes nothing that somebody put on record who knows more of it', async () => {
    const auditor = await know('auditor');
    await own();
    expect((await get('/admin/test/told', `Bearer ${auditor}`)).status).toBe(404);
    expect(await recorded()).toEqual([]);
  });

  it('is shut to a principal from the message on that suspends it', async () => {
    const admin = await know('admin');
    await own();
    expect((await get('/admin/test', `Bearer ${admin}`)).status).toBe(200);
    const state = { ...principalStateTopic.example, id: 'usr_admin', roles: ['admin' as const] };
    await bus.publish(principalStateTopic, 'usr_admin', { ...state, version: 9, status: 'suspended' });
    expect((await get('/admin/test', `Bearer ${admin}`)).status).toBe(401);
  });
});
