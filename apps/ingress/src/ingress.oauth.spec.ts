import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createKafkaBus } from '@warder/bus';
import { grantStateTopic, principalStateTopic, type SigningKeyState, signingKeyStateTopic } from '@warder/contracts';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, IngressScene, oneRecord } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let upstream: FixtureUpstream;
let scene: IngressScene;

/** An access token of ana's for `dev`, as identity would sign it. */
function accessToken(change: object = {}, { kid, privateKey } = { kid: 'k1', privateKey: keys.privateKey }): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowS = Math.floor(scene.clock.wallMs() / 1_000);
  const claims = {
    iss: scene.host.url,
    sub: 'ana',
    aud: `${scene.host.url}/mcp/dev`,
    client_id: 'https://editor.example/client.json',
    client_name: 'Editor',
    client_by: 'document',
    grant_id: 'grant-1',
    iat: nowS,
    exp: nowS + 3_600,
    ...change,
  };
  const signed = `${part({ alg: 'ES256', typ: 'at+jwt', kid })}.${part(claims)}`;
  const seal = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${seal.toString('base64url')}`;
}

function keyState(id: string, publicKey: KeyObject, change: Partial<SigningKeyState> = {}): SigningKeyState {
  const jwk = publicKey.export({ format: 'jwk' }) as SigningKeyState['jwk'];
  return { version: 1, status: 'active', id, algorithm: 'ES256', jwk, ...change };
}

const ask = (token: string, virtualServer = 'dev') =>
  new WireClient(scene, 'modern', token, virtualServer).call('echo', { message: 'hello' });

beforeAll(async () => {
  upstream = await startFixtureUpstream();
  scene = await new IngressScene().start({
    upstreams: { fixture: { transport: { kind: 'streamable-http', url: upstream.url }, allowPrivateAddress: true } },
    virtualServers: {
      dev: { tools: [{ upstream: 'fixture', tool: '*', prefix: '' }] },
      ops: { tools: [{ upstream: 'fixture', tool: '*', prefix: '' }] },
    },
    grants: [{ name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['fixture/*'] }],
  });
  await scene.bus.publish(signingKeyStateTopic, 'k1', keyState('k1', keys.publicKey));
  await scene.untilListed(new WireClient(scene, 'modern', await scene.token('ana')), 'echo', 'slow');
});

afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
});

describe('an OAuth client', () => {
  it('is told where its token is had, for the very URL that it asked', async () => {
    const { url } = scene.host;
    const answer = await scene.send('/mcp/dev', { headers: { 'content-type': 'application/json' }, body: '{}' });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="warder", resource_metadata="${url}/.well-known/oauth-protected-resource/mcp/dev", scope="mcp"`,
    );
    const metadata = await scene.send('/.well-known/oauth-protected-resource/mcp/dev', { method: 'GET' });
    expect(JSON.parse(metadata.text)).toEqual({
      resource: `${url}/mcp/dev`,
      authorization_servers: [url],
      scopes_supported: ['mcp'],
      bearer_methods_supported: ['header'],
    });
  });

  it('is told where tokens for the admin doors are had', async () => {
    const { url } = scene.host;
    const metadata = await scene.send('/.well-known/oauth-protected-resource/admin', { method: 'GET' });
    expect(JSON.parse(metadata.text)).toEqual({
      resource: `${url}/admin`,
      authorization_servers: [url],
      scopes_supported: ['admin'],
      bearer_methods_supported: ['header'],
    });
    const below = await scene.send('/.well-known/oauth-protected-resource/admin/identity', { method: 'GET' });
    expect(below.status).toBe(404);
  });

  it('learns nothing of which virtual servers there are', async () => {
    const bare = { headers: { 'content-type': 'application/json' }, body: '{}' };
    const [there, absent] = [await scene.send('/mcp/dev', bare), await scene.send('/mcp/nope', bare)];
    expect(absent.headers['www-authenticate']).toBe(there.headers['www-authenticate']?.replace('/dev"', '/nope"'));
    const of = async (name: string) =>
      scene.send(`/.well-known/oauth-protected-resource/mcp/${name}`, { method: 'GET' });
    expect((await of('nope')).status).toBe(200);
    for (const name of ['', 'a"b', 'A', `${'x'.repeat(41)}`, 'dev/', '..%2fdev'])
      expect((await of(name)).status).toBe(404);
  });

  it('calls with its token, and stands in the record as what the person allowed and as who it was verified to be', async () => {
    const answer = await ask(accessToken());
    expect(messageOf(answer).result?.content).toHaveLength(1);
    const record = await oneRecord(scene, ({ agent, kind }) => agent?.kind === 'oauth' && kind === 'call');
    expect(record).toMatchObject({
      principal: { id: 'ana' },
      agent: { id: 'grant-1', kind: 'oauth' },
      verified: { client: 'https://editor.example/client.json', by: 'document' },
      personal: { agent: { name: 'Editor' } },
    });
  });

  it.each([
    ['another virtual server', () => accessToken({ aud: `${scene.host.url}/mcp/ops` })],
    ['the admin doors', () => accessToken({ aud: `${scene.host.url}/admin` })],
    ['the gateway as a whole', () => accessToken({ aud: scene.host.url })],
    ['another gateway', () => accessToken({ iss: 'https://other.example' })],
    ['nobody any more', () => accessToken({ exp: 1_000 })],
  ])('is not let in with a token for %s', async (_, token) => {
    const answer = await ask(token());
    expect(answer.status).toBe(401);
    expect(messageOf(answer).error?.data?.code).toBe('WDR_TOKEN_UNKNOWN');
    expect(answer.headers['www-authenticate']).toMatch(
      /^Bearer realm="warder", error="invalid_token", resource_metadata=/,
    );
  });

  it('goes on while keys turn: by the old one and the next one, and by none that was let go', async () => {
    const next = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const statusOf = async (token: string): Promise<number> => (await ask(token)).status;
    const [old, made] = [accessToken(), accessToken({}, { kid: 'k2', privateKey: next.privateKey })];
    expect([await statusOf(old), await statusOf(made)]).toEqual([200, 401]);
    await scene.bus.publish(signingKeyStateTopic, 'k2', keyState('k2', next.publicKey));
    await expect.poll(() => statusOf(made)).toBe(200);
    expect(await statusOf(old)).toBe(200);
    await scene.bus.publish(
      signingKeyStateTopic,
      'k2',
      keyState('k2', next.publicKey, { version: 2, status: 'retired' }),
    );
    await expect.poll(() => statusOf(made)).toBe(401);
    expect(await statusOf(old)).toBe(200);
    // What is said late brings no key back.
    await scene.bus.publish(signingKeyStateTopic, 'k2', keyState('k2', next.publicKey));
    expect([await statusOf(made), await statusOf(old)]).toEqual([401, 200]);
  });

  it('is cut off, a running call included, when its grant ends; another one is not', async () => {
    const [ended, other] = [accessToken({ grant_id: 'grant-2' }), accessToken({ grant_id: 'grant-3' })];
    const slow = (token: string, nonce: string) =>
      new WireClient(scene, 'modern', token).call('slow', { nonce, ms: 60_000 });
    const running = slow(ended, 'cut-1');
    const going = slow(other, 'cut-2').catch(() => undefined);
    for (const nonce of ['cut-1', 'cut-2']) {
      await eventually(() => upstream.executed().find((entry) => entry.nonce === nonce));
    }
    const state = { version: 2, status: 'revoked' as const, id: 'grant-2', principalId: 'ana' };
    await scene.bus.publish(grantStateTopic, 'grant-2', { ...state, expiresAtMs: scene.clock.wallMs() + 3_600_000 });
    expect((await running).status).toBe(401);
    expect((await ask(ended)).status).toBe(401);
    expect((await ask(other)).status).toBe(200);
    expect(upstream.cancelled).not.toContain('cut-2');
    await scene.publishPrincipal('ana', ['developers'], 'suspended');
    await going;
    await scene.publishPrincipal('ana', ['developers']);
  });

  it('has a call run to its end though its token expires on the way; the next one asks for another', async () => {
    const expiring = accessToken({ grant_id: 'grant-late', exp: Math.floor(scene.clock.wallMs() / 1_000) + 20 });
    const running = new WireClient(scene, 'modern', expiring).call('slow', { nonce: 'late-1', ms: 3_000 });
    await eventually(() => upstream.executed().find((entry) => entry.nonce === 'late-1'));
    scene.clock.push(21_000);
    expect((await ask(expiring)).status).toBe(401);
    const answer = await running;
    expect([answer.status, messageOf(answer).error]).toEqual([200, undefined]);
    expect(upstream.cancelled).not.toContain('late-1');
  });

  it('is signed out with its person: what was issued before is refused, personal tokens and later sign-ins are not', async () => {
    const before = accessToken({ grant_id: 'grant-4', iat: Math.floor(scene.clock.wallMs() / 1_000) - 30 });
    const own = await scene.token('ana');
    await eventually(async () => (await ask(own)).status === 200 || undefined);
    const running = new WireClient(scene, 'modern', before).call('slow', { nonce: 'out-1', ms: 60_000 });
    await eventually(() => upstream.executed().find((entry) => entry.nonce === 'out-1'));
    const ana = {
      version: 1_000,
      status: 'active' as const,
      id: 'ana',
      kind: 'human' as const,
      name: 'Ana',
      email: null,
    };
    const signedOutAtMs = scene.clock.wallMs() - 10_000;
    const state = { ...ana, groups: ['developers'], roles: [], signedOutAtMs };
    await scene.bus.publish(principalStateTopic, 'ana', state);
    expect((await running).status).toBe(401);
    expect((await ask(before)).status).toBe(401);
    expect((await ask(own)).status).toBe(200);
    expect((await ask(accessToken({ grant_id: 'grant-4' }))).status).toBe(200);
  });

  it('that acts for somebody is named in the record with its chain, and cut off with any end of what it was exchanged for', async () => {
    const act = { sub: 'bo', kind: 'service', act: { sub: 'spiffe://corp.example/triage', kind: 'spiffe' } };
    const exchanged = (more: object) =>
      accessToken({ given_for: 'token-exchange', client_id: 'svc_1', client_by: 'secret', act, ...more });
    await scene.publishPrincipal('bo', []);
    const token = exchanged({ grant_id: 'grant-6', ends_with: ['subject-6', 'actor-6'] });
    await eventually(async () => (await ask(token)).status === 200 || undefined);
    const record = await oneRecord(scene, ({ agent, kind }) => agent?.id === 'grant-6' && kind === 'call');
    expect(record).toMatchObject({
      principal: { id: 'ana', kind: 'human' },
      actorChain: [
        { id: 'bo', kind: 'service' },
        { id: 'spiffe://corp.example/triage', kind: 'spiffe' },
      ],
      agent: { id: 'grant-6', kind: 'token-exchange' },
      verified: { client: 'svc_1', by: 'secret' },
    });
    const running = (bearer: string, nonce: string) =>
      new WireClient(scene, 'modern', bearer).call('slow', { nonce, ms: 60_000 });
    const first = running(token, 'act-1');
    const second = running(exchanged({ grant_id: 'grant-7', ends_with: ['subject-7'] }), 'act-2');
    for (const nonce of ['act-1', 'act-2'])
      await eventually(() => upstream.executed().find((entry) => entry.nonce === nonce));
    const ended = { version: 2, status: 'revoked' as const, id: 'subject-6', principalId: 'ana' };
    await scene.bus.publish(grantStateTopic, 'subject-6', { ...ended, expiresAtMs: scene.clock.wallMs() + 3_600_000 });
    expect((await first).status).toBe(401);
    expect((await ask(token)).status).toBe(401);
    await scene.publishPrincipal('bo', [], 'suspended');
    expect((await second).status).toBe(401);
    await scene.publishPrincipal('bo', []);
  });

  it('is known after a restart in an outage, and so is the end of its grant', async () => {
    await scene.host.stop();
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const bus = createKafkaBus({ node: 'n', service: 'ingress', brokers: ['127.0.0.1:9'], log, clock: scene.clock });
    await scene.startNode({}, bus);
    await eventually(async () => (await ask(accessToken({ grant_id: 'grant-5' }))).status === 200 || undefined);
    expect((await ask(accessToken({ grant_id: 'grant-2' }))).status).toBe(401);
    await bus.close();
  });
});
