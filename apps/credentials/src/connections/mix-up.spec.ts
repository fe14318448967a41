import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConnectionsScene, SceneBrowser, type ScenePage } from './connections.scene.js';
import { FakeProvider } from './fake-provider.scene.js';

let scene: ConnectionsScene;
/** A provider that keeps to what is agreed, and takes no redirect URI that our client did not register. */
let honest: FakeProvider;
/** Another one that an administrator set up, and whose operator wants what people have at the first. */
let evil: FakeProvider;
let browser: SceneBrowser;

const callbackOf = (provider: string): string => new URL(`/connections/callback/${provider}`, scene.running!.url).href;
const put = (id: string, fake: FakeProvider, more: object = {}) =>
  scene.ask('PUT', `/providers/${id}`, {
    entry: 'internal-oauth',
    clientId: fake.client.id,
    clientSecret: fake.client.secret,
    parameters: { ...fake.parameters, ...more },
  });

beforeAll(async () => {
  scene = await ConnectionsScene.create();
});
afterAll(() => scene.end());
beforeEach(async () => {
  [honest, evil] = [await FakeProvider.start(), await FakeProvider.start()];
  await scene.start(honest, { privateHosts: [honest.host, evil.host] });
  for (const [id, fake] of [
    ['honest', honest],
    ['evil', evil],
  ] as const) {
    await put(id, fake);
    await scene.ask('PUT', `/upstreams/${id}`, { kind: 'oauth_user', provider: id });
    fake.registered = [callbackOf(id)];
  }
  browser = new SceneBrowser(scene, 'usr_ana');
});
afterEach(async () => {
  await scene.stop();
  await Promise.all([honest.stop(), evil.stop()]);
});

/** The person connects the evil one, which sends her browser on to the honest one; she is signed in there and agrees. */
async function lured(change: (query: URLSearchParams) => void): Promise<ScenePage> {
  evil.sendsOnTo = (query) => {
    const to = new URL(honest.parameters['authorization_endpoint']!);
    for (const [name, value] of query) to.searchParams.set(name, value);
    change(to.searchParams);
    return to;
  };
  const asked = await browser.go(await browser.begin('evil'));
  return asked.location === undefined ? asked : browser.go(asked.location);
}

/** Nobody got a code of hers, and nothing was connected. */
async function expectNothing(): Promise<void> {
  expect([evil.tokenRequests, honest.tokenRequests]).toEqual([[], []]);
  expect(await scene.source.query('SELECT 1 FROM credentials.connection')).toEqual([]);
}

describe('a provider that sends its visitors on to another (RFC 9700 section 4.4)', () => {
  it('gets no code by its own callback, which the other does not know', async () => {
    expect((await lured(() => {})).status).toBe(400);
    await expectNothing();
  });

  it('gets no code by the other’s callback, for the state is of its own', async () => {
    const page = await lured((query) => query.set('redirect_uri', callbackOf('honest')));
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('another server')]);
    await expectNothing();
  });

  it('has no state of the other to come with: each is of one browser', async () => {
    const mallory = new SceneBrowser(scene, 'usr_ben');
    const state = new URL(await mallory.begin('honest')).searchParams.get('state')!;
    const page = await lured((query) => {
      query.set('redirect_uri', callbackOf('honest'));
      query.set('state', state);
    });
    expect(page.text).toContain('not begun in this browser');
    await expectNothing();
  });

  it('gets nothing by the callback of all that there is no more', async () => {
    const back = new URL(await browser.begin('honest'));
    back.pathname = '/connections/callback';
    expect((await browser.go(back.href)).status).toBe(404);
    await expectNothing();
  });
});

describe('a provider that says that its answers name it (RFC 9207)', () => {
  beforeEach(() => put('honest', honest, { issuer: 'https://login.honest.example' }));

  it.each([undefined, 'https://login.evil.example', 'https://login.honest.example/', ''])(
    'is not believed an answer with iss %j',
    async (iss) => {
      honest.iss = iss;
      expect((await browser.connect('honest')).text).toContain('another server');
      await expectNothing();
    },
  );

  it('is believed one that names it to the byte', async () => {
    honest.iss = 'https://login.honest.example';
    expect((await browser.connect('honest')).text).toContain('Connected as ana-at-fake.');
  });
});

describe('a provider that is changed', () => {
  it('is not moved while there are tokens of it, which the next refresh would send to the new place', async () => {
    await browser.connect('honest');
    const refused = await put('honest', evil);
    expect(refused).toMatchObject({ status: 409, body: { error: { code: 'WDR_PROVIDER_IN_USE' } } });
    const [row] = (await scene.ask('GET', '/connections')).body.connections;
    await scene.makeDue(row!.id);
    await expect.poll(() => honest.tokenRequests.length).toBe(2);
    expect(evil.tokenRequests).toEqual([]);
    // Another secret or other scopes move nothing.
    expect((await put('honest', honest)).status).toBe(200);
    await scene.ask('DELETE', `/connections/${row!.id}`);
    await expect.poll(() => scene.source.query('SELECT 1 FROM credentials.token_ending')).toEqual([]);
    expect((await put('honest', evil)).status).toBe(200);
    expect(evil.revocations).toEqual([]);
  });

  it('gives no code to the new place that was asked for at the one before', async () => {
    const back = await browser.begin('honest');
    expect((await put('honest', evil)).status).toBe(200);
    expect((await browser.go(back)).text).toContain('changed this meanwhile');
    await expectNothing();
  });

  it('connects nothing with tokens that came while it was moved', async () => {
    const back = await browser.begin('honest');
    honest.late = async () => void (await put('honest', evil));
    expect((await browser.go(back)).text).toContain('changed this meanwhile');
    expect(await scene.source.query('SELECT 1 FROM credentials.connection')).toEqual([]);
  });
});
