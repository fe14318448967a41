import { type BrowserPage, ScriptedBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FixtureScene } from '../../fixture-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';

const EMAIL = 'ana@example.com';
const PASSWORD = 'correct horse battery staple';
const TOKEN = /value="(wdr_[\w-]{48})"/;

describe.each(shapesOf('18-account'))('somebody with nothing but a link, in %s', (shape) => {
  let scene: FixtureScene;
  let anaId: string;
  const browser = new ScriptedBrowser();

  const account = (path = ''): string => new URL(`/account${path}`, scene.warder.endpoint).href;
  /** Opens a page of the account, and signs in on the way where it is asked to. */
  const come = async (path = '', by = browser): Promise<BrowserPage> => {
    let page = await by.open(account(path));
    if (page.text.includes('name="with"')) page = await by.submit(page, { with: 'local' });
    if (page.text.includes('type="password"')) page = await by.submit(page, { email: EMAIL, password: PASSWORD });
    return page;
  };
  /** Sends a form of the page. */
  const send = (page: BrowserPage, path: string, values: Record<string, string> = {}): Promise<BrowserPage> => {
    const token = /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    return browser.open(account(path), { token, ...values });
  };
  const make = async (name: string, cut: Record<string, string> = {}): Promise<string> => {
    const form = await come('/tokens/new');
    const fields = { name, days: '7', servers: '', tools: '', addresses: '' };
    const issued = await send(form, '/tokens/new', { ...fields, ...cut });
    return TOKEN.exec(issued.text)?.[1] ?? issued.text;
  };
  const everywhere = async (token: string, status: number): Promise<void> => {
    for (const agent of scene.agents(token)) {
      await eventually(`${agent.node} answers ${status}`, async () => (await agent.call('echo')).status === status);
    }
  };

  beforeAll(async () => {
    scene = await FixtureScene.inShape(shape);
    const ana = { name: 'Ana', email: EMAIL, groups: ['knowers'] };
    anaId = (await scene.admin.ask<{ id: string }>('POST', '/identity/principals', ana)).id;
  }, START_TIMEOUT_MS);
  afterAll(async () => scene?.stop(), 60_000);

  it('chooses a password, signs in, makes a token, calls with it, and ends it on every node', async () => {
    const link = await scene.admin.ask<{ url: string }>('POST', `/identity/principals/${anaId}/password-link`);
    expect((await browser.submit(await browser.open(link.url), { password: PASSWORD })).status).toBe(200);
    const token = await make('laptop');
    expect(token).toMatch(/^wdr_[\w-]{48}$/);
    for (const agent of scene.agents(token)) {
      await eventually(`${agent.node} serves it`, () => agent.isServed());
      const nonce = newNonce();
      expect((await agent.call('echo', { nonce })).status).toBe(200);
      expect(scene.fixture.executed().filter((entry) => entry.nonce === nonce)).toHaveLength(1);
    }
    const page = await come();
    const [, place = ''] = /action="\/account(\/tokens\/pat_\w+\/revoke)"/.exec(page.text) ?? [];
    expect((await send(page, place)).text).toContain('You have none.');
    await everywhere(token, 401);
    await scene.ledgerHolds();
  }, 120_000);

  it('cuts a token to what no call may go beyond', async () => {
    const token = await make('cut', { servers: 'nowhere' });
    await everywhere(token, 404);
    for (const agent of scene.agents(token)) expect((await agent.call('echo')).text).not.toContain('result');
  }, 60_000);

  it('is out with every browser and token once offboarded, and the record tells it in order', async () => {
    const other = new ScriptedBrowser();
    expect((await come('', other)).text).toContain('Your account');
    const token = await make('last');
    for (const agent of scene.agents(token)) await eventually(`${agent.node} serves it`, () => agent.isServed());
    await scene.admin.ask('POST', `/identity/principals/${anaId}/offboard?wait=20000`);
    await everywhere(token, 401);
    for (const each of [browser, other]) {
      expect((await each.open(account())).text).toContain('Sign in to Warder');
      expect((await come('', each)).status).toBe(401);
    }
    const acts = ['sign-in.complete', 'token.issue', 'token.revoke', 'principal.offboard'];
    await eventually('its records', async () => {
      const all = (await scene.admin.records({})).toReversed();
      const hers = all.filter(({ principal, method }) => principal?.id === anaId || method?.endsWith('.offboard'));
      const told = hers.map(({ method }) => method ?? '');
      const first = acts.map((act) => told.indexOf(`admin/identity/${act}`));
      return first.every((at, index) => at >= 0 && (index === 0 || at > first[index - 1]!));
    });
  }, 120_000);
});
