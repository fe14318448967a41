import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, signingInRemote, signingInV1, signingInV2 } from '../../clients/signing-in-clients.js';
import { FixtureScene, VIRTUAL_SERVER } from '../../fixture-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';

const CLIENTS = [signingInV1, signingInV2, signingInRemote];
const EMAIL = 'ana@example.com';
const PASSWORD = 'correct horse battery staple';

describe.each(shapesOf('14-sign-in'))('somebody who has nothing but the URL, in %s', (shape) => {
  let scene: FixtureScene;
  let dir: string;
  let anaId: string;
  /** What ana's browser was shown, in words. */
  const shown: string[] = [];

  const endpoint = () => new URL(`/mcp/${VIRTUAL_SERVER}`, scene.warder.endpoint).href;
  /** Ana at her own browser: reads, allows, signs in where she is asked to. */
  const ana = (): Person => {
    const { origin } = new URL(scene.warder.endpoint);
    const browser = new ScriptedBrowser((url) => !url.startsWith(`${origin}/`));
    return async (address) => {
      let page = await browser.open(address);
      while (page.status !== 0) {
        shown.push(/<h1>([^<]*)<\/h1>/.exec(page.text)?.[1] ?? page.text);
        if (page.status !== 200 || shown.length > 20) throw new Error(`not a page to go on from: ${page.text}`);
        const isForm = page.text.includes('type="password"');
        page = await browser.submit(page, isForm ? { email: EMAIL, password: PASSWORD } : { with: 'local' });
      }
      return page.url;
    };
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'warder-sign-in-'));
    scene = await FixtureScene.inShape(shape);
    const member = await scene.admin.member({ name: 'Ana', email: EMAIL, groups: ['knowers'] });
    anaId = member.principalId;
    for (const agent of scene.agents(member.token)) {
      await eventually(`${agent.node} serves it`, () => agent.isServed());
    }
    const link = await scene.admin.ask<{ url: string }>('POST', `/identity/principals/${anaId}/password-link`);
    const browser = new ScriptedBrowser();
    const page = await browser.open(link.url);
    const saved = await browser.submit(page, { password: PASSWORD });
    if (saved.status !== 200) throw new Error(saved.text);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await scene?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it.each(CLIENTS)(
    'connects with $name: challenge, discovery, registration, consent, sign-in, token, call; the second connect asks nothing',
    async (kind) => {
      const memory = new Map<string, unknown>();
      const homeDir = mkdtempSync(join(dir, 'home-'));
      shown.length = 0;
      for (const round of ['first', 'second']) {
        const before = shown.length;
        const client = await kind.open(endpoint(), ana(), memory, homeDir);
        try {
          const nonce = newNonce();
          await client.call('known__echo', { text: round, nonce });
          expect(scene.fixture.executed().filter((entry) => entry.nonce === nonce)).toHaveLength(1);
        } finally {
          await client.close();
        }
        expect(shown.length - before).toBe(round === 'first' ? 2 : 0);
      }
      expect(shown[0]).toMatch(/^Let “.+” use “.+” for you\?$/);
      await eventually('its record', async () => {
        const records = await scene.admin.records({ human: EMAIL, kind: 'call' });
        return records.some(({ agent, verified }) => agent?.kind === 'oauth' && verified?.by === 'registration');
      });
    },
    120_000,
  );

  it('is cut off on every node, and asked again, once an administrator signs them out', async () => {
    const memory = new Map<string, unknown>();
    const homeDir = mkdtempSync(join(dir, 'home-'));
    const client = await signingInV1.open(endpoint(), ana(), memory, homeDir);
    await client.call('known__echo', { text: 'in', nonce: newNonce() });
    const { access_token: token } = memory.get('tokens') as { access_token: string };
    await scene.admin.ask('POST', `/identity/principals/${anaId}/sign-out?wait=20000`);
    for (const agent of scene.agents(token)) {
      await eventually(`${agent.node} refuses it`, async () => (await agent.call('echo')).status === 401);
    }
    await client.close();
    shown.length = 0;
    memory.delete('callback');
    const back = await signingInV1.open(endpoint(), ana(), memory, homeDir);
    await back.call('known__echo', { text: 'back', nonce: newNonce() });
    await back.close();
    expect(shown).toHaveLength(2);
  }, 120_000);
});
