import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionsScene, SceneBrowser } from './connections.scene.js';
import { FakeProvider } from './fake-provider.scene.js';

let scene: ConnectionsScene;
let fake: FakeProvider;
let browser: SceneBrowser;

beforeAll(async () => {
  scene = await ConnectionsScene.create();
});
afterAll(() => scene.end());
beforeEach(async () => {
  fake = await FakeProvider.start();
  await scene.start(fake);
  await scene.setUp(fake);
  browser = new SceneBrowser(scene, 'usr_ana');
});
afterEach(async () => {
  await scene.stop();
  await fake.stop();
});

describe('the page of connections', () => {
  it('shows what is connected, as which account, since when and used by what, and ends it at the provider', async () => {
    const before = await browser.open();
    expect(before.text).toContain('Internal OAuth API');
    expect(before.text).toContain('<dd>no</dd>');
    const page = await browser.connect('fake');
    for (const shown of ['Connected as ana-at-fake.', '<dd>yes</dd>', '<dd>dev</dd>', '<time datetime='])
      expect(page.text).toContain(shown);
    const { access, refresh } = fake.grants[0]!;
    const [, path = ''] = /action="(\/connections\/con_[\w-]+\/disconnect)"/.exec(page.text) ?? [];
    expect((await browser.send(page, path)).location).toBe('/connections');
    await vi.waitFor(() => expect(fake.revocations.map((form) => form.get('token'))).toEqual([refresh, access]));
    await vi.waitFor(() => expect(scene.actions()).toContain('admin/credentials/connection.end-tokens'));
    expect((await browser.open()).text).toContain('<dd>no</dd>');
    expect(await scene.source.query('SELECT 1 FROM credentials.token_ending')).toEqual([]);
    expect(page.text + scene.carried.join()).not.toContain('canary');
  });

  it('leads from a link of an upstream to one button, and does nothing before it is pressed', async () => {
    const page = await browser.open('/connections/connect/tickets');
    expect(page.text).toContain('Connect Internal OAuth API?');
    expect(await scene.source.query('SELECT 1 FROM credentials.connection_attempt')).toEqual([]);
    expect((await browser.open('/connections/connect/unknown')).status).toBe(404);
  });

  it('keeps what is shared to administrators, and what is a person’s to that person', async () => {
    await scene.ask('PUT', '/upstreams/wiki', { kind: 'oauth_shared', provider: 'fake' });
    const page = await browser.open();
    expect(page.text).toContain('An administrator sees to it.');
    const refused = await browser.send(page, '/connections/connect', { provider: 'fake', kind: 'oauth_shared' });
    expect(refused.status).toBe(403);
    const id = await scene.connect('ana');
    const ben = new SceneBrowser(scene, 'usr_ben');
    expect((await ben.send(await ben.open(), `/connections/${id}/disconnect`)).status).toBe(404);
    const shared = await scene.connect('admin', 'oauth_shared');
    expect(scene.states.get(shared)).toMatchObject({ kind: 'oauth_shared', principalId: null, status: 'active' });
    expect((await scene.ask('GET', '/me/connections', undefined, 'ben')).body).toEqual({ connections: [] });
    const over = await scene.ask('POST', `/connections/${shared}/hand-over`, { principalId: 'usr_ben' });
    expect(over.body).toMatchObject({ ownerId: 'usr_ben' });
    const personal = await scene.ask('POST', `/connections/${id}/hand-over`, { principalId: 'usr_ben' });
    expect(personal).toMatchObject({ status: 409, body: { error: { code: 'WDR_CONNECTION_PERSONAL' } } });
  });
});

describe('consent', () => {
  it('is taken from the browser that began it only', async () => {
    const back = await browser.begin('fake');
    const other = new SceneBrowser(scene, 'usr_ana');
    await other.open();
    expect((await other.go(back)).text).toContain('This was not begun in this browser.');
    expect(await scene.source.query('SELECT 1 FROM credentials.connection')).toEqual([]);
  });

  it('is taken from the person who began it only, so that no link connects somebody else’s account', async () => {
    const back = await browser.begin('fake');
    // The same browser, in which somebody else has signed in since.
    browser.cookies.delete('wdr_connections');
    const swapped = new SceneBrowser(scene, 'usr_ben', browser.cookies);
    await swapped.open();
    expect((await swapped.go(back)).text).toContain('Somebody else began this.');
  });

  it('for what everybody shares is taken from an administrator only, and from nobody who was one', async () => {
    await scene.ask('PUT', '/upstreams/wiki', { kind: 'oauth_shared', provider: 'fake' });
    const admin = new SceneBrowser(scene, 'usr_admin');
    const back = await admin.begin('fake', 'oauth_shared');
    await scene.tellPrincipal('admin', { roles: ['member'] });
    const page = await admin.go(back);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('An administrator connects')]);
    expect(await scene.source.query('SELECT 1 FROM credentials.connection')).toEqual([]);
    await scene.tellPrincipal('admin');
  });

  it('is taken once, and not after its time', async () => {
    const back = await browser.begin('fake');
    expect((await browser.go(back)).status).toBe(200);
    expect((await browser.go(back)).text).toContain('This link was used already');
    const late = await browser.begin('fake');
    scene.aheadMs = 601_000;
    expect((await browser.go(late)).text).toContain('is too old');
  });

  it('is not taken from another server than was asked (RFC 9207)', async () => {
    fake.iss = 'https://evil.example';
    expect((await browser.connect('fake')).text).toContain('another server');
    fake.iss = fake.origin;
    expect((await browser.connect('fake')).status).toBe(200);
  });

  it('is proved by PKCE, and a code of somebody else’s consent is refused by the provider', async () => {
    const back = new URL(await browser.begin('fake'));
    const other = new URL(await new SceneBrowser(scene, 'usr_ben').begin('fake'));
    back.searchParams.set('code', other.searchParams.get('code')!);
    expect((await browser.go(back.href)).text).toContain('did not take the code');
    expect(await scene.source.query('SELECT 1 FROM credentials.connection')).toEqual([]);
  });

  it('stands nowhere in clear while it is under way', async () => {
    await browser.begin('fake');
    const [attempt] = await scene.source.query('SELECT * FROM credentials.connection_attempt');
    expect(attempt.verifier).toMatch(/^v\d+\./);
    expect(Object.keys(attempt)).not.toContain('state');
  });
});

describe('a browser', () => {
  it('is let in by a pass for itself, of identity’s, and by no other', async () => {
    const { location = '' } = await browser.go('/connections');
    expect(location).toMatch(/^\/account\/pass\?at=connections&nonce=[\w-]{43}&to=$/);
    const nonce = new URL(location, 'http://x').searchParams.get('nonce');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const passes = [
      scene.pass({ sub: 'usr_ana', nonce: 'x'.repeat(43) }),
      scene.pass({ sub: 'usr_ana', nonce }, privateKey),
      scene.pass({ sub: 'usr_ana', nonce, exp: 1 }),
      scene.pass({ sub: 'usr_ana', nonce, aud: 'https://warder.example/mcp/dev' }),
      '',
    ];
    for (const pass of passes) {
      const page = await browser.go(`/connections/signed-in?${new URLSearchParams({ pass }).toString()}`);
      expect(page.status).toBe(401);
    }
  });

  it('is out once it is signed out at identity, or another person is signed in there', async () => {
    browser.cookies.set('wdr_session', 'of-ana');
    const page = await browser.open();
    expect(page.text).toContain('Internal OAuth API');
    const begun = await browser.begin('fake');
    for (const session of ['of-ben', '']) {
      browser.cookies.set('wdr_session', session);
      expect((await browser.go('/connections')).location).toMatch(/^\/account\/pass/);
      const sent = await browser.send(page, '/connections/connect', { provider: 'fake', kind: 'oauth_user' });
      expect([sent.status, (await browser.go(begun)).status]).toEqual([401, 401]);
    }
  });

  it('is not let in by a pass that was made before its person signed out everywhere', async () => {
    const { location = '' } = await browser.go('/connections');
    const nonce = new URL(location, 'http://x').searchParams.get('nonce');
    const pass = scene.pass({ sub: 'usr_ana', nonce, iat: Math.floor(Date.now() / 1_000) - 30 });
    await scene.tellPrincipal('ana', { signedOutAtMs: Date.now() - 10_000 });
    await browser.go(`/connections/signed-in?${new URLSearchParams({ pass }).toString()}`);
    expect((await browser.go('/connections')).location).toMatch(/^\/account\/pass/);
  });

  it('ends nothing that everybody shares by a sign-in that is old', async () => {
    await scene.ask('PUT', '/upstreams/wiki', { kind: 'oauth_shared', provider: 'fake' });
    const id = await scene.connect('admin', 'oauth_shared');
    const admin = new SceneBrowser(scene, 'usr_admin');
    const { location = '' } = await admin.go('/connections');
    const nonce = new URL(location, 'http://x').searchParams.get('nonce');
    const pass = scene.pass({ sub: 'usr_admin', nonce, auth_time: Math.floor(Date.now() / 1_000) - 3_600 });
    await admin.go(`/connections/signed-in?${new URLSearchParams({ pass }).toString()}`);
    const sent = await admin.send(await admin.go('/connections'), `/connections/${id}/disconnect`);
    expect(sent.location).toMatch(/^\/account\/pass\?.*recent=1$/);
    expect((await scene.row(id))['status']).toBe('active');
  });

  it('is out at once when its person is suspended, and sends no form of another browser', async () => {
    const page = await browser.open();
    const other = new SceneBrowser(scene, 'usr_ben');
    await other.open();
    expect((await other.send(page, '/connections/connect', { provider: 'fake', kind: 'oauth_user' })).status).toBe(403);
    await scene.tellPrincipal('ana', { status: 'suspended' });
    expect((await browser.go('/connections')).location).toMatch(/^\/account\/pass/);
    expect((await browser.send(page, '/connections/connect', { provider: 'fake', kind: 'oauth_user' })).status).toBe(
      401,
    );
  });
});

describe('somebody who left', () => {
  it('leaves no token here, and none that the provider takes; what was done stands on record', async () => {
    const id = await scene.connect('ana');
    const kept = await scene.connect('ben');
    const { access } = fake.grants[0]!;
    await scene.tellPrincipal('ana', { status: 'removed' });
    await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ status: 'revoked' }));
    await vi.waitFor(() => expect(fake.accountOf(access)).toBeUndefined());
    expect(await scene.row(id)).toMatchObject({ access_token: null, refresh_token: null, reason: 'owner_left' });
    expect(scene.states.get(kept)).toMatchObject({ status: 'active' });
    const done = () => scene.records.filter(({ method }) => method === 'admin/credentials/connection.end-tokens');
    await vi.waitFor(() => expect(done()).toHaveLength(1));
    expect(JSON.stringify(done())).toContain('"outcome":"revoked"');
  });

  it('is found where it was told while nobody listened, as suspended before', async () => {
    const id = await scene.connect('ana');
    await scene.running!.stop();
    await scene.tellPrincipal('ana', { status: 'suspended' });
    await scene.tellPrincipal('ana', { status: 'removed' });
    await scene.startService(fake);
    await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ status: 'revoked' }), 10_000);
  });

  it('has the tokens ended that a refresh brings while it leaves', async () => {
    const id = await scene.connect('ana');
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    fake.gate = () => gate;
    await scene.makeDue(id);
    await vi.waitFor(() => expect(fake.tokenRequests).toHaveLength(2));
    await scene.tellPrincipal('ana', { status: 'removed' });
    await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ status: 'revoked' }));
    open();
    await vi.waitFor(() => expect(fake.grants.every(({ isRevoked }) => isRevoked)).toBe(true));
    expect(await scene.row(id)).toMatchObject({ status: 'revoked', access_token: null, refresh_token: null });
  });
});

describe('another account that is connected while the first is refreshed', () => {
  it('leaves no token of the first that the provider takes', async () => {
    const id = await scene.connect('ana');
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    fake.late = async (form) => (form.get('grant_type') === 'refresh_token' ? gate : undefined);
    await scene.makeDue(id);
    await vi.waitFor(() => expect(fake.tokenRequests).toHaveLength(2));
    fake.account = 'ana-elsewhere';
    expect((await browser.connect('fake')).text).toContain('Connected as ana-elsewhere.');
    open();
    await vi.waitFor(() => expect(fake.grants.map(({ isRevoked }) => isRevoked)).toEqual([true, false]));
    expect(await scene.row(id)).toMatchObject({ status: 'active', account_id: 'id-ana-elsewhere', generation: 2 });
  });
});

describe('what an administrator sets up', () => {
  it('is told to the nodes, and what cannot be is refused by name', async () => {
    const told = { kind: 'oauth_user', provider: 'fake', status: 'active' };
    await vi.waitFor(() => expect(scene.auths.get('tickets')).toMatchObject(told));
    const provider = { entry: 'internal-oauth', clientId: 'x', parameters: fake.parameters };
    const refused = [
      [await scene.ask('PUT', '/providers/other', { ...provider, entry: 'nobody' }), 400, 'WDR_BODY_INVALID'],
      [await scene.ask('PUT', '/providers/other', { ...provider, parameters: {} }), 400, 'WDR_BODY_INVALID'],
      [
        await scene.ask('PUT', '/providers/fake', { ...provider, entry: 'github-app', parameters: {} }),
        409,
        'WDR_PROVIDER_IN_USE',
      ],
      [await scene.ask('DELETE', '/providers/fake'), 409, 'WDR_PROVIDER_IN_USE'],
      [await scene.ask('DELETE', '/providers/nobody'), 404, 'WDR_PROVIDER_UNKNOWN'],
      [await scene.ask('PUT', '/upstreams/x', { kind: 'oauth_user', provider: 'nobody' }), 404, 'WDR_PROVIDER_UNKNOWN'],
      [await scene.ask('PUT', '/upstreams/x', { kind: 'passthrough' }), 400, 'WDR_BODY_INVALID'],
      [await scene.ask('DELETE', '/upstreams/x'), 404, 'WDR_UPSTREAM_AUTH_UNKNOWN'],
      [await scene.ask('DELETE', '/connections/con_x'), 404, 'WDR_CONNECTION_UNKNOWN'],
    ] as const;
    for (const [answer, status, code] of refused) expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect((await scene.ask('GET', '/providers', undefined, 'ana')).status).toBe(403);
    expect(JSON.stringify((await scene.ask('GET', '/providers')).body)).not.toContain('canary');
    await scene.ask('DELETE', '/upstreams/tickets');
    expect((await scene.ask('DELETE', '/providers/fake')).body).toMatchObject({ status: 'removed', hasSecret: false });
  });

  it('sends a secret nowhere that it was not given for', async () => {
    const moved = { ...fake.parameters, token_endpoint: 'https://elsewhere.example/token' };
    const provider = { entry: 'internal-oauth', clientId: fake.client.id, parameters: moved };
    const refused = await scene.ask('PUT', '/providers/fake', provider);
    expect(refused).toMatchObject({ status: 400, body: { error: { code: 'WDR_BODY_INVALID' } } });
    const same = { ...provider, parameters: fake.parameters, scopes: ['read'] };
    expect((await scene.ask('PUT', '/providers/fake', same)).body).toMatchObject({ hasSecret: true });
    const given = await scene.ask('PUT', '/providers/fake', { ...provider, clientSecret: 'another-secret' });
    expect(given.body).toMatchObject({ hasSecret: true, parameters: moved });
  });

  it('connects our own client without a person, and refreshes it without a refresh token', async () => {
    const { body, status } = await scene.ask('POST', '/connections', { kind: 'client_credentials', provider: 'fake' });
    expect({ status, body }).toMatchObject({ status: 201, body: { kind: 'client_credentials', principalId: null } });
    await scene.makeDue(body.id);
    await vi.waitFor(() => expect(scene.states.get(body.id)).toMatchObject({ generation: 2 }));
    expect(fake.tokenRequests.map((form) => form.get('grant_type'))).toEqual([
      'client_credentials',
      'client_credentials',
    ]);
  });

  it('answers 502 and keeps nothing where a provider does not answer', async () => {
    const back = await browser.begin('fake');
    fake.troubles = ['hang-up'];
    const page = await browser.go(back);
    expect(page).toMatchObject({ status: 502 });
    expect(page.text).toContain('does not answer');
  });
});
