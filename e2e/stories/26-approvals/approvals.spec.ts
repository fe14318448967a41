import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type BrowserWindow, FAKE_AWS_KEY, RealBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import { FixtureScene, VIRTUAL_SERVER } from '../../fixture-scene.js';
import { LocalPerson } from '../../local-people.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce, type WireAgent, type WireAnswer } from '../../wire-agent.js';

const HELD = 'echo-arguments';
const DAN = { email: 'dan@example.com', password: 'correct horse battery staple' };
const LINK = /http[^ "]+\/approvals\/(apr_[\w-]{16})/;

describe.each(shapesOf('26-approvals'))('approval by a human, in %s', (shape) => {
  let dir: string;
  let scene: FixtureScene;
  let browser: RealBrowser;
  let dan: BrowserWindow;
  let ana: Member;

  const origin = () => new URL(scene.warder.endpoint).origin;
  const executed = (nonce: string) => scene.fixture.executed().filter((entry) => JSON.stringify(entry).includes(nonce));
  const linkOf = ({ text }: WireAnswer): string => LINK.exec(text)?.[0] ?? expect.unreachable(text);
  const isThrough = ({ status, text }: WireAnswer) => status === 200 && !text.includes('WDR_');
  const agents = () => scene.agents(ana.token);
  const held = (args: object, agent: WireAgent = agents()[0]!) => agent.call(HELD, { ...args });
  /** Dan opens the page, signs in where he is asked to, and says what he decides. */
  const decide = async (link: string, button: 'Approve this call once' | 'Deny'): Promise<void> => {
    await dan.visit(link);
    const choice = dan.page.getByRole('button', { name: /^Sign in with/ });
    if ((await choice.count()) > 0) await dan.press(/^Sign in with/);
    if ((await dan.page.getByLabel('Password', { exact: true }).count()) > 0) {
      await dan.page.getByLabel('E-mail address').fill(DAN.email);
      await dan.page.getByLabel('Password', { exact: true }).fill(DAN.password);
      await dan.press('Sign in');
    }
    expect(await dan.heading()).toBe(`known/${HELD}`);
    await dan.page.getByLabel('Reason').fill('as agreed on Tuesday');
    await dan.press(button);
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'warder-approvals-'));
    const configFile = join(dir, 'standalone.yaml');
    writeFileSync(configFile, JSON.stringify({ signIn: { local: true } }), { mode: 0o600 });
    const environment = { identity: { WARDER_SIGN_IN__LOCAL: 'true' } };
    [scene, browser] = await Promise.all([
      FixtureScene.inShape(shape, { environment, configFile }),
      RealBrowser.start(),
    ]);
    ana = await scene.member();
    const person = await scene.admin.member({ name: 'Dan', email: DAN.email, groups: ['releasers'] });
    const password = `/identity/principals/${person.principalId}/password-link`;
    const { url } = await scene.admin.ask<{ url: string }>('POST', password);
    const first = await LocalPerson.at(browser, DAN, { warder: `${origin()}/`, callback: '' });
    await first.choosePassword(url);
    await first.close();
    dan = await browser.person();
    await scene.admin.changePolicy((document) => {
      const server = document.virtualServers[VIRTUAL_SERVER]!;
      const approval = {
        by: ['releasers'],
        fourEyes: true,
        minutes: 30,
        tools: { [`known/${HELD}`]: {} },
      };
      // Sent as it is, and shown without its secret all the same.
      const request = { secret: 'flag', pii: 'off', injection: 'flag', hidden: 'flag' } as const;
      const changed = { ...server, approval, guardrails: { ...server.guardrails, request } };
      return { ...document, virtualServers: { ...document.virtualServers, [VIRTUAL_SERVER]: changed } };
    });
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await scene?.stop();
    await browser?.close();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it('holds the call, shows it to who decides without its secret, and lets it through once however many nodes race', async () => {
    const nonce = newNonce();
    const args = { nonce, to: 'bob@example.com', text: `key ${FAKE_AWS_KEY}`, count: 1 };
    const first = await held(args);
    expect(first.text).toContain('WDR_APPROVAL_REQUIRED');
    const link = linkOf(first);
    expect(linkOf(await held(args, agents().at(-1)))).toBe(link);
    await decide(link, 'Approve this call once');
    const shown = await dan.page.content();
    expect(shown).toContain('approved, not called yet');
    expect(shown).toContain('bob@example.com');
    expect(shown).not.toContain(FAKE_AWS_KEY);
    // Another byte is another call, and neither takes the yes; another order or form of a number is the same.
    expect(linkOf(await held({ ...args, to: 'bob@example.con' }))).not.toBe(link);
    const same = { count: 1, text: args.text, to: args.to, nonce };
    const tries = await Promise.all(
      Array.from({ length: 50 }, (_, at) => held(at % 2 === 0 ? args : same, agents()[at % agents().length])),
    );
    expect(tries.filter(isThrough)).toHaveLength(1);
    expect(executed(nonce)).toHaveLength(1);
    const id = LINK.exec(first.text)![1]!;
    await eventually('the record names the approval', async () => {
      const records = await scene.admin.records({ kind: 'call' });
      return records.some(({ approval, outcome }) => approval === id && outcome === 'success');
    });
  }, 120_000);

  it('tells the agent a denial with its reason', async () => {
    const args = { nonce: newNonce() };
    await decide(linkOf(await held(args)), 'Deny');
    const answer = await held(args, agents().at(-1));
    expect(answer.text).toContain('WDR_APPROVAL_DENIED');
    expect(answer.text).toContain('as agreed on Tuesday');
    expect(executed(args.nonce)).toEqual([]);
  }, 60_000);

  it('does not let who holds the token of the one who asks say yes', async () => {
    const args = { nonce: newNonce() };
    const id = LINK.exec((await held(args)).text)![1]!;
    const answer = await fetch(`${scene.warder.adminUrl}/guardrails/approvals/${id}/decision`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ana.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ decision: 'approve', reason: 'I say so' }),
    });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('WDR_APPROVAL_FORBIDDEN')]);
  });

  it('voids a yes when the policy changes before the call is made', async () => {
    const args = { nonce: newNonce() };
    const link = linkOf(await held(args));
    await decide(link, 'Approve this call once');
    await scene.admin.changePolicy((document) => ({
      ...document,
      limit: { callsPerMinute: 9_000_000, burst: 900_000 },
    }));
    expect(linkOf(await held(args))).not.toBe(link);
    expect(executed(args.nonce)).toEqual([]);
  }, 60_000);

  it('is asked of the person by an SDK client of the modern era, which goes through in one call', async () => {
    const client = new Client(
      { name: 'story', version: '1' },
      { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      await decide('url' in params ? String(params.url) : '', 'Approve this call once');
      return { action: 'accept' as const };
    });
    const requestInit = { headers: { authorization: `Bearer ${ana.token}` } };
    const url = new URL(`/mcp/${VIRTUAL_SERVER}`, scene.warder.endpoint);
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
    const nonce = newNonce();
    const result = await client.callTool({ name: `known__${HELD}`, arguments: { nonce } });
    await client.close();
    expect([result.isError ?? false, executed(nonce).length]).toEqual([false, 1]);
  }, 60_000);

  it.runIf(shape === 'cluster')(
    'refuses held calls while guardrails is dead, serves all others, and keeps the yes over the death',
    async () => {
      const args = { nonce: newNonce() };
      await decide(linkOf(await held(args)), 'Approve this call once');
      const guardrails = scene.warder.service('guardrails');
      await guardrails.kill('SIGKILL');
      const refused = await held(args);
      expect(refused.text).toContain('WDR_APPROVAL_UNAVAILABLE');
      expect(await agents()[0]!.isServed()).toBe(true);
      expect(executed(args.nonce)).toEqual([]);
      await guardrails.start();
      await guardrails.healthy(60_000);
      await eventually('it goes through', async () => isThrough(await held(args)), 60_000);
      expect(executed(args.nonce)).toHaveLength(1);
    },
    180_000,
  );
});
