import { fakeJson } from '@warder/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConnectionsScene, SceneBrowser } from '../connections/connections.scene.js';
import { FakeProvider } from '../connections/fake-provider.scene.js';
import { NativeUpstream } from './native-upstream.scene.js';

let scene: ConnectionsScene;
let fake: FakeProvider;
let native: NativeUpstream;
let browser: SceneBrowser;

beforeAll(async () => {
  scene = await ConnectionsScene.create();
});
afterAll(() => scene.end());
beforeEach(async () => {
  [fake, native] = [await FakeProvider.start(), await NativeUpstream.start()];
  await scene.start(fake, { privateHosts: native.hosts });
  await scene.tellUpstreams({ native: native.url });
  browser = new SceneBrowser(scene, 'usr_ana');
});
afterEach(async () => {
  await scene.stop();
  await Promise.all([fake.stop(), native.stop()]);
});

const put = (more: object = {}) =>
  scene.ask('PUT', '/providers/native', { entry: 'discovered', upstream: 'native', issuer: native.login.url, ...more });
const setUp = async (more: object = {}) => {
  expect(await put(more)).toMatchObject({ status: 200 });
  await scene.ask('PUT', '/upstreams/native', { kind: 'oauth_user', provider: 'native' });
};
const documentUrl = (): string => `${scene.running!.url}/connections/clients/native.json`;
const requested = (path: string): number => native.login.requests.filter((request) => request.path === path).length;
const refusedWith = (detail: string) => ({
  status: 502,
  body: { error: { code: 'WDR_DISCOVERY_REFUSED', message: expect.stringContaining(detail) } },
});

describe('an MCP server that says itself how it is logged in to', () => {
  it('is connected by a registration, refreshed, and ended there', async () => {
    await setUp();
    const { body } = await scene.ask('GET', '/providers');
    expect(body.providers).toMatchObject([
      { id: 'native', entry: 'discovered', client: 'dynamic', hasSecret: true, clientId: native.registered[0] },
    ]);
    expect((await browser.connect('native')).text).toContain('Connected.');
    const [connection] = (await scene.ask('GET', '/connections')).body.connections;
    expect(connection).toMatchObject({ status: 'active', scopes: ['read'] });
    const { access } = native.grants[0]!;
    await scene.makeDue(connection!.id);
    await expect.poll(() => native.grants[0]?.access).not.toBe(access);
    await expect.poll(async () => (await scene.row(connection!.id))['generation']).toBe(2);
    await scene.ask('DELETE', `/connections/${connection!.id}`);
    await expect.poll(() => native.grants).toEqual([]);
    expect(native.refusals).toEqual([]);
    expect(scene.carried.join()).not.toContain('canary');
  });

  it('is connected by our document, which is of this provider alone, with a key of ours', async () => {
    await setUp({ client: 'document' });
    const document = (await (await fetch(documentUrl())).json()) as object;
    expect(document).toMatchObject({
      client_id: documentUrl(),
      redirect_uris: [`${scene.running!.url}/connections/callback/native`],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `${scene.running!.url}/connections/jwks.json`,
    });
    await native.readDocument(documentUrl());
    expect((await browser.connect('native')).text).toContain('Connected.');
    const [connection] = (await scene.ask('GET', '/connections')).body.connections;
    await scene.ask('DELETE', `/connections/${connection!.id}`);
    await expect.poll(() => native.grants).toEqual([]);
    expect([native.refusals, native.registered]).toEqual([[], []]);
  });

  it('has no document of ours where it is no such client', async () => {
    expect((await fetch(documentUrl())).status).toBe(404);
    await setUp();
    expect((await fetch(documentUrl())).status).toBe(404);
  });

  it('gets no document where its answers do not name it, for another could have its codes by it (RFC 9207)', async () => {
    native.serverChange = { authorization_response_iss_parameter_supported: false };
    expect(await put({ client: 'document' })).toMatchObject(refusedWith('takes no client like ours'));
    await setUp();
    expect(native.registered).toHaveLength(1);
  });

  it('keeps our client when it is set up once more, and gets another where that is asked for', async () => {
    await setUp();
    await setUp({ scopes: ['read', 'write'] });
    expect(native.registered).toHaveLength(1);
    await setUp({ client: 'dynamic' });
    expect(native.registered).toHaveLength(2);
    expect((await browser.connect('native')).text).toContain('Connected.');
  });

  it('gets another client once the secret of the one before has ended', async () => {
    const client_secret_expires_at = Math.floor(Date.now() / 1_000) + 60;
    native.registration = fakeJson(201, {
      client_id: 'short',
      client_secret: 'for-a-minute',
      client_secret_expires_at,
    });
    await setUp();
    scene.aheadMs = 61_000;
    const page = await browser.send(await browser.open(), '/connections/connect', {
      provider: 'native',
      kind: 'oauth_user',
    });
    expect(page.status).toBe(503);
    native.registration = undefined;
    await setUp();
    expect((await browser.connect('native')).text).toContain('Connected.');
  });

  it('is of the policy in force', async () => {
    const refused = await scene.ask('PUT', '/providers/native', { entry: 'discovered', upstream: 'unknown' });
    expect(refused).toMatchObject({ status: 409, body: { error: { code: 'WDR_UPSTREAM_TRANSPORT' } } });
  });
});

describe('what cannot be believed', () => {
  it('is a server at a private address that no administrator named', async () => {
    const refused = await scene.ask('PUT', '/providers/native', { entry: 'discovered', upstream: 'native' });
    expect(refused).toMatchObject(refusedWith('could not be asked'));
    expect(native.login.requests).toEqual([]);
  });

  it.each(['token_endpoint', 'authorization_endpoint', 'registration_endpoint', 'revocation_endpoint'])(
    'is a %s inside that only a document names, though it may be asked for something else',
    async (endpoint) => {
      native.serverChange = {
        [endpoint]: `http://${new URL(native.mcp.url).host.replace('127.0.0.1', 'localhost')}/x`,
      };
      expect(await put()).toMatchObject(refusedWith('not https'));
      expect(native.clients.size).toBe(0);
    },
  );

  it.each([
    ['an issuer that it is not', () => (native.serverChange = { issuer: 'https://login.example' }), 'another issuer'],
    [
      'an issuer that no administrator named',
      () => (native.resourceChange = { authorization_servers: ['https://x.example'] }),
      'does not name the issuer',
    ],
    ['another resource', () => (native.resourceChange = { resource: 'https://other.example/mcp' }), 'another resource'],
    ['no S256', () => (native.serverChange = { code_challenge_methods_supported: ['plain'] }), 'S256'],
    ['a proof that we do not have', () => (native.serverChange = { token_endpoint_auth_methods_supported: ['x'] }), ''],
    ['more than is read', () => (native.serverChange = { x: 'x'.repeat(70_000) }), 'could not be asked'],
  ])('is a server with %s', async (_what, change, message) => {
    change();
    expect(await put()).toMatchObject(refusedWith(message));
    expect((await scene.ask('GET', '/providers')).body.providers).toEqual([]);
    expect(native.registered).toEqual([]);
  });

  it.each([
    ['no client', fakeJson(201, {})],
    ['text', { status: 201, body: 'welcome' }],
    ['a client id that no request can hold', fakeJson(201, { client_id: 'a\u0000b', client_secret: 's' })],
    ['no secret', fakeJson(201, { client_id: 'c', token_endpoint_auth_method: 'client_secret_basic' })],
    ['another proof than it takes', fakeJson(201, { client_id: 'c', token_endpoint_auth_method: 'none' })],
    ['another address', fakeJson(201, { client_id: 'c', client_secret: 's', redirect_uris: ['https://evil.example'] })],
    ['a redirect', { status: 302, headers: { location: 'http://169.254.169.254/' }, body: '' }],
    ['more than is read', { status: 201, body: JSON.stringify({ client_id: 'x'.repeat(70_000) }) }],
  ])('is a registration that answers %s', async (_what, answer) => {
    native.registration = answer;
    expect(await put()).toMatchObject(refusedWith(''));
    expect((await scene.ask('GET', '/providers')).body.providers).toEqual([]);
  });
});

describe('an upstream that names another issuer later', () => {
  let other: NativeUpstream;
  beforeEach(async () => {
    other = await NativeUpstream.start();
  });
  afterEach(() => other.stop());

  it('has nobody sent there, and keeps the tokens that there are at the issuer before', async () => {
    await setUp();
    await browser.connect('native');
    const [connection] = (await scene.ask('GET', '/connections')).body.connections;
    native.resourceChange = { authorization_servers: [other.login.url] };
    scene.aheadMs = 61_000;
    const page = await browser.send(await browser.open(), '/connections/connect', {
      provider: 'native',
      kind: 'oauth_user',
    });
    expect([page.status, page.location]).toEqual([502, undefined]);
    await scene.makeDue(connection!.id);
    await expect.poll(async () => (await scene.row(connection!.id))['generation']).toBe(2);
    expect(other.login.requests).toEqual([]);
  });

  it('is not moved there while there are tokens, and gets another client there once there are none', async () => {
    await scene.running?.stop();
    await scene.startService(fake, { privateHosts: [...native.hosts, ...other.hosts] });
    await setUp();
    await browser.connect('native');
    native.resourceChange = { authorization_servers: [other.login.url] };
    const moved = () => put({ issuer: other.login.url });
    expect(await moved()).toMatchObject({ status: 409, body: { error: { code: 'WDR_PROVIDER_IN_USE' } } });
    expect(other.registered).toEqual([]);
    const [connection] = (await scene.ask('GET', '/connections')).body.connections;
    await scene.ask('DELETE', `/connections/${connection!.id}`);
    await expect.poll(() => scene.source.query('SELECT 1 FROM credentials.token_ending')).toEqual([]);
    expect(await moved()).toMatchObject({ status: 200, body: { clientId: other.registered[0] } });
    expect(requested('/token')).toBe(1);
  });

  it('gets no code of the other’s, whose answers name it (mix-up, RFC 9700 section 4.4)', async () => {
    await setUp();
    const back = new URL(await browser.begin('native'));
    for (const iss of [other.login.url, `${native.login.url}/`, undefined]) {
      const begun = new URL(await browser.begin('native'));
      back.searchParams.set('state', begun.searchParams.get('state')!);
      if (iss === undefined) back.searchParams.delete('iss');
      else back.searchParams.set('iss', iss);
      expect((await browser.go(back.href)).text).toContain('another server');
    }
    expect(requested('/token')).toBe(0);
  });
});
