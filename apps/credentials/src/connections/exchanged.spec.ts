import { StrictTokenServer } from '@warder/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SceneNode } from '../delivery.scene.js';
import { ConnectionsScene, SceneBrowser } from './connections.scene.js';
import { FakeProvider } from './fake-provider.scene.js';

let scene: ConnectionsScene;
let fake: FakeProvider;
let strict: StrictTokenServer;
let node: SceneNode;

beforeAll(async () => {
  scene = await ConnectionsScene.create();
});
afterAll(() => scene.end());
beforeEach(async () => {
  fake = await FakeProvider.start();
  await scene.start(fake);
  await scene.running?.stop();
  strict = await StrictTokenServer.start({
    clientId: 'warder-at-data',
    get jwksUri() {
      return `${scene.running!.url}/connections/jwks.json`;
    },
    foreignSubject: (token) => fake.accountOf(token),
  });
  await scene.startService(fake, { privateHosts: [fake.host, strict.host] });
  const { body } = await scene.ask('POST', '/nodes/n-1/join-token');
  node = await new SceneNode(scene, 'n-1').join(String(body['joinToken']));
});
afterEach(async () => {
  await scene.stop();
  scene.enrolled.clear();
  scene.granted.length = 0;
  await strict.stop();
  await fake.stop();
});

const putData = (change: object = {}) =>
  scene.ask('PUT', '/providers/data', {
    entry: 'internal-oauth',
    clientId: 'warder-at-data',
    authentication: 'private_key_jwt',
    parameters: { token_endpoint: `${strict.origin}/token`, revocation_endpoint: `${strict.origin}/revoke` },
    scopes: ['data.read'],
    exchange: { from: 'fake', audience: 'data-api' },
    ...change,
  });

/** The company's provider `fake`, at which people connect, and `data`, whose tokens are had for theirs. */
async function setUp(): Promise<void> {
  await scene.setUp(fake);
  expect(await putData()).toMatchObject({ status: 200, body: { exchange: { from: 'fake' } } });
  const put = await scene.ask('PUT', '/upstreams/tickets', { kind: 'token_exchange', provider: 'data' });
  expect(put.status).toBe(200);
}

const exchanged = async (name = 'ana') => {
  const all = (await scene.ask('GET', '/connections')).body.connections;
  return all.find(({ kind, principalId }) => kind === 'token_exchange' && principalId === `usr_${name}`);
};

/** The bearer that a call of hers gets, or why it gets none. */
async function bearer(id: string, refusedGeneration: number | null = null): Promise<string> {
  const asked = { upstream: 'tickets', principalId: 'usr_ana', refusedGeneration };
  const granted = await node.ask(id, asked);
  if (granted.lease === null) return `refused: ${granted.refusal}`;
  return (node.open(granted) as { authorization: string }).authorization.replace('Bearer ', '');
}

/** Has most of the life of a token pass: it was had an hour ago, and has ten minutes left. */
async function pass(id: string): Promise<void> {
  const [hadAtMs, endsAtMs] = [Date.now() - 3_600_000, Date.now() + 600_000];
  await scene.source.query('UPDATE credentials.connection SET changed_at_ms = $2, expires_at_ms = $3 WHERE id = $1', [
    id,
    hadAtMs,
    endsAtMs,
  ]);
}

describe('a token that is exchanged', () => {
  it('is had for the person’s own at the company’s provider when a call needs it, is hers, and is kept', async () => {
    await setUp();
    const subject = await scene.connect('ana');
    const made = (await exchanged())!;
    expect(made).toMatchObject({ status: 'active', provider: 'data', accountId: 'id-ana-at-fake', generation: 1 });
    // Nobody called yet.
    expect(strict.taken).toEqual([]);
    const token = await bearer(made.id);
    expect(strict.refusals).toEqual([]);
    expect(strict.subjectOf(token)).toBe('ana-at-fake');
    expect(Object.fromEntries(strict.taken[0]!)).toMatchObject({ audience: 'data-api', scope: 'data.read' });
    expect(await bearer(made.id)).toBe(token);
    expect(strict.taken).toHaveLength(1);
    // The token of the company's provider itself goes nowhere but to the exchange.
    expect(fake.accountOf(token)).toBeUndefined();
    expect(JSON.stringify(scene.carried)).not.toContain(token);
    expect(scene.actions()).toContain('admin/credentials/connection.refresh');
    expect((await scene.row(subject))['status']).toBe('active');
  });

  it('is had anew ahead of its end, and for one that the upstream refused', async () => {
    await setUp();
    await scene.connect('ana');
    const { id } = (await exchanged())!;
    const first = await bearer(id);
    await pass(id);
    expect(await bearer(id)).not.toBe(first);
    expect(strict.taken).toHaveLength(2);
    const { generation } = (await exchanged())!;
    await pass(id);
    const third = await bearer(id, generation);
    expect(strict.subjectOf(third)).toBe('ana-at-fake');
    expect(strict.taken).toHaveLength(3);
  });

  it('is there for who connected before the provider was set up', async () => {
    await scene.setUp(fake);
    await scene.connect('ana');
    await putData();
    await scene.ask('PUT', '/upstreams/tickets', { kind: 'token_exchange', provider: 'data' });
    await vi.waitFor(async () => expect(await exchanged()).toMatchObject({ status: 'active' }));
    expect(strict.subjectOf(await bearer((await exchanged())!.id))).toBe('ana-at-fake');
  });

  it('is of the new account, and the old one’s is ended, once another is connected', async () => {
    await setUp();
    await scene.connect('ana');
    const { id, generation } = (await exchanged())!;
    const first = await bearer(id);
    fake.account = 'ana-at-another';
    await scene.connect('ana');
    expect((await exchanged())!.generation).toBeGreaterThan(generation + 1);
    await vi.waitFor(() => expect(strict.subjectOf(first)).toBeUndefined());
    expect(strict.subjectOf(await bearer(id))).toBe('ana-at-another');
  });

  it('ends with the person’s connection, and with the person, in the same moment', async () => {
    await setUp();
    const subject = await scene.connect('ana');
    const { id } = (await exchanged())!;
    const token = await bearer(id);
    await scene.ask('DELETE', `/connections/${subject}`);
    expect(await exchanged()).toMatchObject({ status: 'disconnected' });
    expect(await bearer(id)).toBe('refused: connection-revoked');
    await vi.waitFor(() => expect(strict.subjectOf(token)).toBeUndefined());
    await scene.connect('ana');
    const second = await bearer(id);
    expect(strict.subjectOf(second)).toBe('ana-at-fake');
    await scene.tellPrincipal('ana', { status: 'removed' });
    await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ status: 'revoked' }));
    expect((await scene.row(id))['access_token']).toBeNull();
    await vi.waitFor(() => expect(strict.subjectOf(second)).toBeUndefined());
  });

  it('asks its person to connect again where their token is taken no more, and blames nobody else', async () => {
    await setUp();
    await scene.connect('ana');
    const { id } = (await exchanged())!;
    fake.grants[0]!.isRevoked = true;
    expect(await bearer(id)).toBe('refused: reconnect-required');
    expect(await exchanged()).toMatchObject({ status: 'reconnect_required', reason: 'invalid_grant' });
    const { body } = await scene.ask('GET', '/providers');
    expect(body.providers.find((each) => each.id === 'data')).toMatchObject({ pausedUntilMs: 0, alarm: null });
    await scene.connect('ana');
    expect(strict.subjectOf(await bearer(id))).toBe('ana-at-fake');
  });

  it('has nobody wait for one person whose tokens are not accepted, however often they call', async () => {
    await setUp();
    await scene.connect('ana');
    const { id } = (await exchanged())!;
    strict.unacceptable.add('ana-at-fake');
    for (let calls = 0; calls < 3; calls += 1) expect(await bearer(id)).toBe('refused: store-unavailable');
    expect(strict.refusals).toHaveLength(1);
    const provider = await scene.source.query(
      `SELECT failures, paused_until_ms, alarm FROM credentials.provider WHERE id = 'data'`,
    );
    expect(provider).toEqual([{ failures: 0, paused_until_ms: '0', alarm: 'invalid_request' }]);
    // Another account is another matter.
    fake.account = 'ana-at-another';
    await scene.connect('ana');
    expect(strict.subjectOf(await bearer(id))).toBe('ana-at-another');
  });

  it('is connected on the page at the company’s provider', async () => {
    await setUp();
    const browser = new SceneBrowser(scene, 'usr_ana');
    const page = await browser.open('/connections/connect/tickets');
    expect(page.text).toContain('name="provider" value="fake"');
    expect((await browser.open()).text).toContain('dev');
  });
});

describe('a provider whose tokens are exchanged', () => {
  it.each([
    [{ exchange: { from: 'nobody' } }, 'exchange.from'],
    [{ exchange: { from: 'data' } }, 'exchange.from'],
    [
      { entry: 'github-oauth-app', parameters: {}, authentication: undefined, clientSecret: 'x' },
      'exchanges no tokens',
    ],
    [{ entry: 'entra', parameters: { tenant: 't' }, authentication: undefined, clientSecret: 'x' }, 'told by scopes'],
    [
      {
        entry: 'entra',
        parameters: { tenant: 't' },
        authentication: undefined,
        clientSecret: 'x',
        scopes: undefined,
        exchange: { from: 'fake' },
      },
      'scopes',
    ],
  ])('is not set up as %j', async (change, told) => {
    await scene.setUp(fake);
    const { status, body } = await putData(change);
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(told)]);
  });

  it('takes no consent, and no other kind takes it; whose tokens it takes stays there', async () => {
    await setUp();
    const other = await scene.ask('PUT', '/upstreams/tickets', { kind: 'oauth_user', provider: 'data' });
    expect(other.status).toBe(400);
    const reverse = await scene.ask('PUT', '/upstreams/tickets', { kind: 'token_exchange', provider: 'fake' });
    expect(reverse.status).toBe(400);
    expect(await scene.ask('POST', '/connections', { kind: 'client_credentials', provider: 'data' })).toMatchObject({
      status: 400,
      body: { error: { code: 'WDR_CONNECT_REFUSED' } },
    });
    expect(await scene.ask('DELETE', '/providers/fake')).toMatchObject({
      status: 409,
      body: { error: { code: 'WDR_PROVIDER_IN_USE' } },
    });
  });

  it('is not sent other people’s tokens: while it is in use, from where they are does not change', async () => {
    await setUp();
    await scene.connect('ana');
    const { id: clientId, secret: clientSecret } = fake.client;
    const another = { entry: 'internal-oauth', clientId, clientSecret, parameters: fake.parameters };
    await scene.ask('PUT', '/providers/another', another);
    expect(await putData({ exchange: { from: 'another' } })).toMatchObject({
      status: 409,
      body: { error: { code: 'WDR_PROVIDER_IN_USE' } },
    });
  });
});
