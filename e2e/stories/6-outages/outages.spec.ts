import type { StartedCluster } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import { CallLoad } from '../../call-load.js';
import { FixtureScene } from '../../fixture-scene.js';
import { recordOrder } from '../../record-order.js';
import { START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, WireAgent } from '../../wire-agent.js';

const CONTROL = ['credentials', 'guardrails', 'audit', 'policy', 'identity'] as const;
/** Instead of half a minute and a quarter of an hour. */
const DEGRADED_AFTER_MS = 8_000;
const FAIL_CLOSED_AFTER_MS = 26_000;
const RATE = 40;

const QUESTIONS: Readonly<Record<string, string>> = {
  identity: '/identity/principals',
  policy: '/policy',
  credentials: '/credentials/static',
  guardrails: '/guardrails/packs',
  audit: '/audit/calls',
};

describe('what works when something is away', () => {
  let scene: FixtureScene<StartedCluster>;
  let ana: Member;
  beforeAll(async () => {
    const watchdog = {
      WARDER_WATCHDOG__DEGRADED_AFTER_MS: String(DEGRADED_AFTER_MS),
      WARDER_WATCHDOG__FAIL_CLOSED_AFTER_MS: String(FAIL_CLOSED_AFTER_MS),
    };
    scene = await FixtureScene.cluster({ environment: { 'ingress-1': watchdog, 'ingress-2': watchdog } });
    ana = await scene.member();
    for (const agent of scene.agents(ana.token)) await eventually('ana is served', () => agent.isServed());
  }, START_TIMEOUT_MS);
  afterAll(async () => scene?.stop(), 60_000);

  const service = (name: string) => scene.warder.service(name);
  const told = (path: string) =>
    scene.admin.ask('GET', path).then(
      () => 'answered',
      (error: unknown) => String(error),
    );
  /** Calls at every node, or at those named, while `during` runs: each of them is served. */
  const callsGoOn = async (during: () => Promise<void>, nodes: readonly string[] = scene.nodes) => {
    const load = new CallLoad(
      nodes.map((node) => scene.agent(ana.token, node)),
      RATE,
    );
    try {
      await during();
    } finally {
      await load.stop();
    }
    expect(load.refusals).toEqual(new Map());
    expect(load.served).toBeGreaterThan(2);
  };
  const isServedByDoor = () => scene.agent(ana.token).isServed();
  const isRefused = async (agent: WireAgent) => (await agent.call('echo')).status === 401;
  const startAll = async (names: readonly string[]) => {
    await Promise.all(names.map((name) => service(name).start()));
    await Promise.all(names.map((name) => service(name).healthy(60_000)));
  };

  it('Postgres: calls go on, nodes stay well, administration says why it cannot; later all of it works', async () => {
    const bo = await scene.member();
    for (const agent of scene.agents(bo.token)) await eventually('bo is served', () => agent.isServed());
    await callsGoOn(async () => {
      await service('postgres').stop();
      for (const path of Object.values(QUESTIONS)) expect(await told(path)).toMatch(/503 .*WDR_STORE_UNAVAILABLE/);
      await expect(scene.admin.revoke(bo.tokenId)).rejects.toThrow(/503 .*WDR_STORE_UNAVAILABLE/);
      await new Promise((resolve) => setTimeout(resolve, DEGRADED_AFTER_MS));
      for (const node of scene.nodes)
        expect(await scene.readyz(node)).toEqual({ status: 200, text: '{"status":"ok"}' });
      await service('postgres').start();
      await eventually('bo is revoked', () =>
        scene.admin.revoke(bo.tokenId).then(
          () => true,
          () => false,
        ),
      );
      for (const agent of scene.agents(bo.token)) await eventually('bo is out', () => isRefused(agent));
    });
    await scene.ledgerHolds();
  }, 90_000);

  it.each(CONTROL)(
    '%s: calls go on, its administration says 503, the others work',
    async (name) => {
      const others = CONTROL.filter((other) => other !== name).map((other) => QUESTIONS[other]!);
      try {
        await callsGoOn(async () => {
          await service(name).stop();
          expect(await told(QUESTIONS[name]!)).toMatch(/503 .*WDR_NODE_UNREACHABLE/);
          for (const path of others) expect(await told(path)).toBe('answered');
          expect(await isServedByDoor()).toBe(true);
        });
      } finally {
        await startAll([name]);
      }
    },
    60_000,
  );

  it('all of them and a node that restarts meanwhile: calls go on until the watchdog closes every node', async () => {
    // Changes state, so that every node writes its last-good copy anew.
    const cy = await scene.member();
    for (const agent of scene.agents(cy.token)) await eventually('cy is served', () => agent.isServed());
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const stoppedAtMs = performance.now();
    await callsGoOn(async () => {
      await Promise.all(CONTROL.map((name) => service(name).kill('SIGKILL')));
      await service('ingress-1').kill('SIGKILL');
      await service('ingress-1').start();
      const restarted = scene.agent(cy.token, 'ingress-1');
      await eventually('ingress-1 serves from its last-good copy', () => restarted.isServed(), FAIL_CLOSED_AFTER_MS);
      await eventually('ingress-2 is degraded', async () => (await scene.readyz('ingress-2')).text.includes('silent'));
      expect((await scene.readyz('ingress-2')).status).toBe(200);
      for (let call = 0; call < 6; call += 1) expect(await isServedByDoor()).toBe(true);
    }, ['ingress-2']);
    for (const agent of scene.agents(ana.token)) {
      const isClosed = async () => (await agent.call('echo')).text.includes('WDR_IDENTITY_STALE');
      await eventually(`${agent.node} lets nobody in`, isClosed, FAIL_CLOSED_AFTER_MS);
      // The age of the copy counts: a restart gives no second term.
      expect(performance.now() - stoppedAtMs).toBeLessThan(FAIL_CLOSED_AFTER_MS + 5_000);
      expect((await scene.readyz(agent.node)).status).toBe(503);
    }
    await startAll(CONTROL);
    for (const agent of scene.agents(ana.token)) await eventually(`${agent.node} is back`, () => agent.isServed());
  }, 120_000);

  it('Kafka: calls go on, also at a node that restarts meanwhile, and changes wait; enforced when it is back', async () => {
    const di = await scene.member();
    const leaver = await scene.member();
    for (const { token } of [di, leaver]) {
      for (const agent of scene.agents(token)) await eventually('served', () => agent.isServed());
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await callsGoOn(async () => {
      await service('kafka').stop();
      await scene.admin.revoke(di.tokenId);
      await scene.admin.ask('POST', `/identity/principals/${leaver.principalId}/offboard`);
      const late = await scene.admin.token(ana.principalId, 'issued in the outage');
      await service('ingress-2').kill('SIGKILL');
      await service('ingress-2').start();
      for (const agent of scene.agents(leaver.token)) {
        await eventually(`${agent.node} serves what it knows`, () => agent.isServed());
      }
      for (const node of scene.nodes) {
        await eventually(`${node} is ready`, async () => (await scene.readyz(node)).status === 200);
      }
      await service('kafka').restart();
      const backAtMs = performance.now();
      for (const { token } of [di, leaver]) {
        for (const agent of scene.agents(token)) await eventually(`${agent.node} refuses it`, () => isRefused(agent));
      }
      const afterMs = Math.round(performance.now() - backAtMs);
      for (const agent of scene.agents(late.token)) await eventually('the late one is in', () => agent.isServed());
      for (const agent of scene.agents(leaver.token)) expect(await isRefused(agent)).toBe(true);
      process.stdout.write(`revoked ${afterMs} ms after the broker was back\n`);
    }, ['ingress-1']);
  }, 90_000);

  it('one upstream: its own tools fail at once and stay listed, those of others work', async () => {
    scene.fixture.set({ status: 503 });
    const { endpoint, token } = scene.warder;
    const other = new WireAgent({ url: endpoint, host: new URL(endpoint).host, token, node: 'door' });
    for (const agent of scene.agents(ana.token)) {
      const startMs = performance.now();
      expect((await agent.call('echo')).text).toContain('WDR_UPSTREAM_FAILED');
      expect(performance.now() - startMs).toBeLessThan(5_000);
      expect((await agent.ask('tools/list')).text).toContain('known__echo');
    }
    const params = { name: 'everything__echo', arguments: { message: 'still here' } };
    expect((await other.ask('tools/call', params)).text).toContain('still here');
    scene.fixture.set({ status: 0 });
    for (const agent of scene.agents(ana.token)) await eventually('it is back', () => agent.isServed());
  }, 60_000);

  it('afterwards each log is contiguous in Kafka and in Postgres, every record exactly once, and the ledger holds', async () => {
    await scene.ledgerHolds();
    const { inKafka, inPostgres, records, resent } = await recordOrder(scene.warder);
    process.stdout.write(`${records} records in order, ${resent} of them sent more than once\n`);
    expect([inKafka, inPostgres]).toEqual([[], []]);
  }, 60_000);
});
