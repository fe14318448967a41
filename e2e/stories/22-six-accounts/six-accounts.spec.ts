import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaseGrantedTopic } from '@warder/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canaryPlaces, keptBy } from '../../canary-search.js';
import { type Shape, shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';
import { type Developer, NAMES, SixAccountsScene } from './six-accounts-scene.js';

/** Longer than a token lives, so that each is had anew; three minutes with `WARDER_SIX_ACCOUNTS_SECONDS=180`. */
const CALLING_MS = Number(process.env['WARDER_SIX_ACCOUNTS_SECONDS'] ?? '45') * 1_000;
const EVERY_MS = 50;
/** Callers who wait for one token. */
const CROWD = 200;

describe.each(shapesOf('22-six-accounts'))('six accounts of one developer, in %s', (shape: Shape) => {
  let dir: string;
  let scene: SixAccountsScene;
  let ana: Developer;
  let ben: Developer;

  beforeAll(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-six-')));
    scene = await SixAccountsScene.start(shape, dir);
    ana = await scene.developer('ana');
    ben = await scene.developer('ben');
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await scene?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it('are connected in a browser, each person’s their own', async () => {
    for (const who of [ana, ben]) {
      for (const name of NAMES) {
        await scene.begin(who, name);
        const account = `${who.email}-at-${name}`;
        expect(await scene.agree(who, account)).toContain(`Connected as ${account}.`);
      }
    }
    for (const who of [ana, ben]) {
      for (const name of NAMES) {
        for (const agent of scene.agents(who, name)) {
          await agent.ask('tools/list');
          await eventually(`${agent.node} serves ${name}`, () => agent.isServed());
        }
      }
    }
  }, 240_000);

  it(
    'carry the right token through every refresh, and no call fails',
    async () => {
      const failed: string[] = [];
      const nonces = new Map<string, string>();
      const running: Promise<void>[] = [];
      const begunMs = performance.now();
      for (let sent = 0; performance.now() - begunMs < CALLING_MS; sent += 1) {
        const who = sent % 4 === 3 ? ben : ana;
        const name = NAMES[Math.floor(sent / 4) % NAMES.length]!;
        const nodes = scene.agents(who, name);
        const nonce = newNonce();
        nonces.set(nonce, `${name} ${who.email}-at-${name}`);
        const call = nodes[sent % nodes.length]!.call('echo', { nonce, text: 'here' });
        running.push(
          call.then(({ status, text }) => {
            if (status !== 200 || !text.includes('"here"')) failed.push(`${status} ${text}`);
          }),
        );
        const dueMs = begunMs + (sent + 1) * EVERY_MS - performance.now();
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs)));
      }
      await Promise.all(running);
      const refreshes = scene.providers.map((provider) => provider.refreshes);
      process.stdout.write(
        `${shape}: ${nonces.size} calls in ${Math.round((performance.now() - begunMs) / 1_000)} s over ${scene.nodes.length} ` +
          `node(s), ${failed.length} failed; refreshes by provider: ${refreshes.join(', ')}\n`,
      );
      expect(failed).toEqual([]);
      for (const [nonce, account] of nonces) expect(scene.doneBy(nonce)).toEqual([account]);
      // Both people's.
      for (const count of refreshes) expect(count).toBeGreaterThanOrEqual(2);
    },
    CALLING_MS + 120_000,
  );

  it('end what runs under them on every node once disconnected, and nothing else', async () => {
    const nonce = newNonce();
    const running = scene.agents(ana, 'github').map((agent) => agent.call('slow', { ms: 100_000, nonce }, true));
    await eventually('they run', async () => scene.doneBy(nonce).length === running.length);
    const { id } = (await scene.connections(ana)).find(({ provider }) => provider === 'github')!;
    await scene.admin.ask('DELETE', `/credentials/connections/${id}`);
    for (const { text } of await Promise.all(running)) expect(text).toContain('WDR_CREDENTIAL_MISSING');
    for (const agent of [...scene.agents(ana, 'jira'), ...scene.agents(ben, 'github')])
      expect(await agent.isServed()).toBe(true);
    await scene.begin(ana, 'github');
    await scene.agree(ana, `${ana.email}-at-github`);
    for (const agent of scene.agents(ana, 'github')) await eventually('it is served again', () => agent.isServed());
  }, 60_000);

  it('are taken from no other consent: of another person, a used state, another provider, another server', async () => {
    await scene.begin(ana, 'jira');
    const stolen = ana.window.page.url();
    await ben.window.visit(stolen);
    expect(await scene.agree(ben, 'ben-at-the-wrong-place')).toContain('This was not begun in this browser.');
    await scene.begin(ana, 'jira');
    const [callback] = await Promise.all([
      ana.window.page.waitForRequest(/\/connections\/callback/),
      scene.agree(ana, `${ana.email}-at-jira`),
    ]);
    await ana.window.visit(callback.url());
    expect(await ana.window.page.innerText('body')).toContain('This link was used already');
    await ana.window.visit(scene.at(`/connections/callback/jira?code=x&state=${'s'.repeat(43)}`));
    expect(await ana.window.page.innerText('body')).toContain('used already, or is too old');
    // Mix-up: an answer at another provider's address, and one that names another server.
    const code = new URL(callback.url()).searchParams.get('code')!;
    for (const [callbackOf, iss] of [
      ['github', undefined],
      ['jira', scene.providers[0]!.origin],
    ] as const) {
      await scene.begin(ana, 'jira');
      const state = await ana.window.page.locator('input[name=state]').inputValue();
      const query = new URLSearchParams({ code, state, ...(iss === undefined ? {} : { iss }) });
      await ana.window.visit(scene.at(`/connections/callback/${callbackOf}?${query}`));
      expect(await ana.window.page.innerText('body')).toContain('another server');
    }
    await eventually('their records', async () => {
      const records = await scene.admin.records({ code: 'WDR_CONNECT_REFUSED' });
      const told = records.map(({ personal }) => personal?.refusalDetail ?? '');
      return ['another browser', 'no such state', 'callback', 'issuer'].every((detail) => told.includes(detail));
    });
    for (const agent of scene.agents(ana, 'jira')) expect(await agent.isServed()).toBe(true);
  }, 120_000);

  it('are gone with whoever leaves: on every node, at each provider, in the store', async () => {
    await scene.admin.ask('POST', `/identity/principals/${ana.id}/offboard`);
    const askedMs = performance.now();
    for (const name of NAMES)
      for (const agent of scene.agents(ana, name))
        await eventually(`${agent.node} refuses it`, async () => (await agent.call('echo')).status === 401);
    const refusedMs = performance.now();
    await eventually('their tokens are ended', async () =>
      scene.providers.every((provider) => provider.livingOf(`${ana.email}-at-${provider.id}`) === 0),
    );
    const endedMs = performance.now();
    process.stdout.write(
      `${shape}: refused everywhere ${Math.round(refusedMs - askedMs)} ms, and ended at the providers ` +
        `${Math.round(endedMs - askedMs)} ms after the offboarding was answered\n`,
    );
    for (const name of NAMES) for (const agent of scene.agents(ben, name)) expect(await agent.isServed()).toBe(true);
    const hers = await scene.connections(ana);
    expect(hers.map(({ status }) => status)).toEqual(NAMES.map(() => 'revoked'));
    // Where a provider has no way to end them, they are forgotten, and that is on record too.
    await eventually('the ends are on record', async () => {
      const records = await scene.admin.records({ kind: 'admin', text: 'owner_left' });
      const ended = records.filter(({ method }) => method === 'admin/credentials/connection.end-tokens');
      return hers.every(({ id }) => ended.some((record) => JSON.stringify(record).includes(id)));
    });
  }, 60_000);

  it.runIf(shape === 'cluster')(
    'are refreshed once for a crowd that waits, after credentials was dead for longer than a token lives',
    async () => {
      const provider = scene.providers[NAMES.indexOf('datadog')]!;
      const account = `${ben.email}-at-datadog`;
      const nodes = scene.agents(ben, 'datadog');
      await scene.killCredentials();
      for (const agent of nodes)
        await eventually(`${agent.node} has no lease left`, async () => !(await agent.isServed()), 60_000);
      const sinceMs = Date.now();
      const restarted = scene.restartCredentials();
      const nonces = Array.from({ length: CROWD }, () => newNonce());
      const served = nonces.map((nonce, each) =>
        eventually(
          'it is served',
          async () => {
            const { text } = await nodes[each % nodes.length]!.call('echo', { nonce, text: 'here' });
            return text.includes('"here"');
          },
          60_000,
        ),
      );
      await Promise.all([restarted, ...served]);
      for (const nonce of nonces) expect(scene.doneBy(nonce)).toEqual([`datadog ${account}`]);
      const refreshed = provider.refreshesOf(account).filter((atMs) => atMs >= sinceMs);
      const [first = 0] = refreshed;
      // The one after is due when ten seconds have passed, at the earliest.
      expect(refreshed.filter((atMs) => atMs - first < 10_000)).toHaveLength(1);
      expect((await scene.connections(ben)).map(({ status }) => status)).toEqual(NAMES.map(() => 'active'));
    },
    180_000,
  );

  it('leave no token in clear in any file, topic, row, record, export or log', async () => {
    const exported = Buffer.from(await scene.admin.text('/audit/export?format=ndjson'));
    expect(exported.length).toBeGreaterThan(1_000);
    await scene.stopWarder();
    const secrets = [
      ...scene.providers.flatMap(({ given, clientSecret }) => [...given, clientSecret]),
      ana.token,
      ben.token,
    ];
    expect(secrets.length).toBeGreaterThan(50);
    const kept = await keptBy(shape, join(dir, 'data'));
    // Leases did travel there.
    expect(kept.batches.some(({ place }) => place.includes(leaseGrantedTopic.name))).toBe(shape === 'cluster');
    const vault = Buffer.from(await scene.auditLogOfVault());
    const more = [exported, vault].map((bytes, at) => ({ place: ['export', 'vault'][at]!, bytes }));
    expect(canaryPlaces(secrets, kept, more)).toEqual([]);
    const rowsOf = (table: string) => kept.rows.find(({ place }) => place === `credentials.${table}`)!.bytes.toString();
    const hers = rowsOf('connection')
      .split('\n')
      .filter((row) => row.includes(ana.id));
    expect(hers).toHaveLength(NAMES.length);
    // Sealed tokens begin with the generation of their key; of hers there are none.
    for (const row of hers) expect(row).not.toMatch(/[(,]"?v\d+\./);
    expect(rowsOf('token_ending')).toBe('');
  }, 120_000);
});
