import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallLoad } from '../../call-load.js';
import { Directory } from '../../directory.js';
import { FixtureScene } from '../../fixture-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce, type WireAgent } from '../../wire-agent.js';

const BEARERS = {
  okta: 'okta-bearer-of-thirty-two-characters-or-more',
  entra: 'entra-bearer-of-thirty-two-characters-or-more',
} as const;
const DIALECTS = ['okta', 'entra'] as const;
/** Of the target, one second, a slow machine may miss some; a node that never hears of it does not pass. */
const PATIENCE_MS = 15_000;

describe.each(shapesOf('11-scim'))('a directory that says over SCIM who is here, in %s', (shape) => {
  let scene: FixtureScene;
  let dir: string;
  let groupId: string;
  let load: CallLoad;

  const directory = (dialect: (typeof DIALECTS)[number], bearer: string = BEARERS[dialect]) =>
    new Directory(new URL(scene.warder.adminUrl).origin, bearer, dialect);
  const isRefused = async (agent: WireAgent): Promise<boolean> => (await agent.call('echo')).status === 401;
  const servedEverywhere = async (token: string): Promise<void> => {
    for (const agent of scene.agents(token)) await eventually(`${agent.node} serves it`, () => agent.isServed());
  };
  const refusedEverywhere = async (token: string): Promise<void> => {
    for (const agent of scene.agents(token)) {
      await eventually(`${agent.node} refuses it`, () => isRefused(agent), PATIENCE_MS);
    }
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'warder-scim-'));
    const configFile = join(dir, 'standalone.yaml');
    writeFileSync(configFile, JSON.stringify({ scim: { tokens: BEARERS } }), { mode: 0o600 });
    const identity = { WARDER_SCIM__TOKENS__OKTA: BEARERS.okta, WARDER_SCIM__TOKENS__ENTRA: BEARERS.entra };
    scene = await FixtureScene.inShape(shape, { environment: { identity }, configFile });
    groupId = await directory('okta').createGroup('Knowers');
    const live = await scene.member();
    await servedEverywhere(live.token);
    load = new CallLoad(scene.agents(live.token), 20);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await load?.stop();
    await scene?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it.each(DIALECTS)(
    'cuts off on every node whom %s deactivates, with open streams and running calls, and lets in whom it activates',
    async (dialect) => {
      const pushing = directory(dialect);
      const userId = await pushing.createUser(`${dialect}-leaver`);
      await pushing.join(groupId, userId);
      const { token } = await scene.admin.token(userId, 'laptop');
      await servedEverywhere(token);
      const nonces: string[] = [];
      const running = scene.agents(token).flatMap((agent) =>
        [false, true].map((wantsStream) => {
          const nonce = newNonce();
          nonces.push(nonce);
          return agent.call('slow', { ms: 100_000, nonce }, wantsStream);
        }),
      );
      await eventually('the upstream has them all', async () =>
        nonces.every((nonce) => scene.fixture.executed().some((entry) => entry.nonce === nonce)),
      );
      expect(await pushing.setActive(userId, false)).toMatchObject({ status: 200, body: { active: false } });
      const answeredMs = performance.now();
      const ended = await Promise.all(running);
      const runningMs = Math.round(performance.now() - answeredMs);
      for (const { text } of ended) expect(text).toContain('WDR_CALL_REVOKED');
      await refusedEverywhere(token);
      const allMs = Math.round(performance.now() - answeredMs);
      process.stdout.write(
        `${shape}, ${dialect}: ${running.length} running calls were cut ${runningMs} ms and every node refused ` +
          `${allMs} ms after the directory had its answer\n`,
      );
      expect((await pushing.setActive(userId, true)).body.active).toBe(true);
      await expect(servedEverywhere(token)).resolves.toBeUndefined();
    },
    120_000,
  );

  it('cannot undo what an administrator did: a suspension, nor an offboarding that ends everything', async () => {
    const pushing = directory('entra');
    const userId = await pushing.createUser('outranked');
    await pushing.join(groupId, userId);
    const { token, tokenId } = await scene.admin.token(userId, 'laptop');
    await servedEverywhere(token);
    await scene.admin.ask('PATCH', `/identity/principals/${userId}`, { status: 'suspended' });
    expect((await pushing.setActive(userId, true)).body.active).toBe(false);
    await refusedEverywhere(token);
    await scene.admin.ask('PATCH', `/identity/principals/${userId}`, { status: 'active' });
    await servedEverywhere(token);
    const offboarded = await scene.admin.ask('POST', `/identity/principals/${userId}/offboard?wait=20000`);
    expect(offboarded).toMatchObject({ status: 'removed', ended: { tokens: [tokenId] }, appliedEverywhere: true });
    const refused = await Promise.all(scene.agents(token).map(isRefused));
    expect(refused).toEqual(scene.nodes.map(() => true));
    for (const dialect of DIALECTS) {
      expect(await directory(dialect).setActive(userId, true)).toMatchObject({ status: 200, body: { active: false } });
    }
    await refusedEverywhere(token);
  }, 60_000);

  it('is let in by its own bearer alone: no personal access token falls through, and no bearer of its opens elsewhere', async () => {
    for (const bearer of [scene.warder.adminToken, scene.warder.token, `${BEARERS.okta}x`, 'nonsense']) {
      const { status, body } = await directory('okta', bearer).ask('GET', 'Users');
      expect([status, body.detail]).toEqual([401, 'the token is not accepted (WDR_TOKEN_UNKNOWN)']);
    }
    const agents = scene.agents(BEARERS.okta);
    expect(await Promise.all(agents.map(isRefused))).toEqual(agents.map(() => true));
  });

  it('leaves everybody else in peace, and a record of each change under its name', async () => {
    await load.stop();
    expect(load.refusals).toEqual(new Map());
    expect(load.served).toBeGreaterThan(0);
    await scene.ledgerHolds();
    const told = async () => {
      const records = await scene.admin.records({ kind: 'admin' });
      const ofScim = records.filter(({ method }) => method.startsWith('admin/identity/scim-'));
      return ofScim.map(({ method, verified }) => `${verified?.client} ${method.split('/')[2]}`).toSorted();
    };
    await eventually('the records are stored', async () => (await told()).length >= 11);
    const each = (dialect: string) => [`${dialect} scim-group.change`, `${dialect} scim-user.create`];
    expect(await told()).toEqual(
      [
        ...each('entra'),
        ...each('entra'),
        ...each('okta'),
        'entra scim-user.change',
        'entra scim-user.change',
        'okta scim-group.create',
        'okta scim-user.replace',
        'okta scim-user.replace',
      ].toSorted(),
    );
  }, 60_000);
});
