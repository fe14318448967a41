import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaseGrantedTopic, tokenStateTopic } from '@warder/contracts';
import type { StartedCluster } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import { canaryPlaces, keptBy } from '../../canary-search.js';
import { ClusterKafka } from '../../cluster-kafka.js';
import { FixtureScene } from '../../fixture-scene.js';
import { heapEnvironment, heldInHeap } from '../../heap-search.js';
import { type Shape, shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce, type WireAgent } from '../../wire-agent.js';
import { writeForgedNodes } from './forgeries.js';

/** Whose processes hold credentials while they are used. */
const HOLDERS = ['ingress-1', 'ingress-2', 'credentials', 'standalone'];
const OTHERS = ['identity', 'policy', 'guardrails', 'audit', 'balancer'];
const DEBUG = { WARDER_LOG__LEVEL: 'debug' };
const STATIC = '/credentials/static/known';
const NODES = '/credentials/nodes';
/** How long a lease is good for where its end is waited for. */
const LEASE_MS = 15_000;

describe.each(shapesOf('21-leases'))('leases, %s', (shape: Shape) => {
  const [first, second] = [`first-${newNonce()}`, `second-${newNonce()}`];
  const services = [...HOLDERS, ...OTHERS].filter((name) => (name === 'standalone') === (shape === 'standalone'));
  let dir: string;
  let heaps: string;
  let scene: FixtureScene;
  let member: Member;
  let agents: WireAgent[];

  beforeAll(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-leases-')));
    heaps = join(dir, 'heaps');
    mkdirSync(heaps);
    const telling = { ...heapEnvironment(heaps), ...DEBUG };
    const environment = Object.fromEntries(services.map((name) => [name, telling]));
    scene = await FixtureScene.inShape(shape, { environment, dataDir: join(dir, 'data') });
    member = await scene.member();
    agents = scene.agents(member.token);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await scene?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  const put = (name: string, value: string) => scene.admin.ask('PUT', STATIC, { kind: 'header', name, value });
  const isSent = async (agent: WireAgent, name: string) =>
    (await agent.call('headers')).text.includes(String.raw`\"${name}\":\"[redacted:secret.upstream-credential]\"`);
  const sentEverywhere = async (name: string) => {
    for (const agent of agents) await eventually(`${agent.node} sends ${name}`, () => isSent(agent, name));
  };

  it('has each node enrolled with a key of its own', async () => {
    let enrolled: { node: string; status: string; identity: string }[] = [];
    await eventually('every node', async () => {
      // Services are enrolled as well where there is a bus between them.
      const { nodes } = await scene.admin.ask<{ nodes: typeof enrolled }>('GET', NODES);
      enrolled = nodes.filter(({ node }) => scene.nodes.includes(node));
      return enrolled.length === scene.nodes.length;
    });
    expect(enrolled.map(({ node, status }) => [node, status])).toEqual(scene.nodes.map((node) => [node, 'active']));
    expect(new Set(enrolled.map(({ identity }) => identity)).size).toBe(scene.nodes.length);
  });

  it('gives every node what its calls need, and the next of it while calls go on', async () => {
    await put('x-first-key', first);
    await sentEverywhere('x-first-key');
    const outcomes: number[] = [];
    let isOver = false;
    const calling = agents.map(async (agent) => {
      while (!isOver) outcomes.push((await agent.call('echo', { nonce: newNonce() })).status);
    });
    await put('x-second-key', second);
    await sentEverywhere('x-second-key');
    isOver = true;
    await Promise.all(calling);
    expect(outcomes.length).toBeGreaterThan(0);
    expect(new Set(outcomes)).toEqual(new Set([200]));
  });

  it('refuses at every node once it is revoked', async () => {
    await scene.admin.ask('DELETE', STATIC);
    for (const agent of agents)
      await eventually(`${agent.node} refuses`, async () =>
        (await agent.call('echo', { nonce: newNonce() })).text.includes('WDR_CREDENTIAL_MISSING'),
      );
    const refused = newNonce();
    for (const agent of agents) await agent.call('echo', { nonce: refused });
    expect(scene.fixture.executed().filter(({ nonce }) => nonce === refused)).toEqual([]);
    await put('x-first-key', first);
    await sentEverywhere('x-first-key');
  });

  it('are no name in the heap of any process, and nothing in those that need none', async () => {
    const secrets = [first, second, member.token];
    const found: Record<string, { names: number; values: boolean }> = {};
    for (const name of services) {
      const { names, values } = await heldInHeap(scene.warder.service(name), heaps, secrets);
      found[name] = { names: names.length, values: values.length > 0 };
    }
    expect(Object.entries(found).filter(([, { names }]) => names > 0)).toEqual([]);
    expect(OTHERS.filter((name) => found[name]?.values === true)).toEqual([]);
    // The search finds what is there.
    expect(scene.nodes.filter((name) => found[name]?.values !== true)).toEqual([]);
  }, 240_000);

  it('leaves the secrets in no file, topic, row, record, export or log', async () => {
    const exported = Buffer.from(await scene.admin.text('/audit/export?format=ndjson'));
    expect(exported.length).toBeGreaterThan(1_000);
    await scene.warder.stop();
    const kept = await keptBy(shape, join(dir, 'data'));
    // Leases did travel there, and the row of the credential was written.
    expect(kept.batches.some(({ place }) => place.includes(leaseGrantedTopic.name))).toBe(shape === 'cluster');
    expect(String(kept.rows.find(({ place }) => place === 'credentials.static_credential')?.bytes)).toContain('known');
    expect(canaryPlaces([first, second, member.token], kept, [{ place: 'export', bytes: exported }])).toEqual([]);
  }, 120_000);
});

describe('leases in the cluster', () => {
  let scene: FixtureScene<StartedCluster>;
  let kafka: ClusterKafka;
  let agents: WireAgent[];

  beforeAll(async () => {
    const environment = { credentials: { WARDER_LEASES__SECONDS_MAX: String(LEASE_MS / 1_000) } };
    scene = await FixtureScene.cluster({ environment });
    kafka = new ClusterKafka(scene.warder);
    agents = scene.agents((await scene.member()).token);
    await scene.admin.ask('PUT', STATIC, { kind: 'header', name: 'x-key', value: `cluster-${newNonce()}` });
    for (const agent of agents) await untilSent(agent);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await kafka?.close();
    await scene?.stop();
  }, 60_000);

  const call = (agent: WireAgent) => agent.call('headers', { nonce: newNonce() });
  const nodes = async () =>
    (await scene.admin.ask<{ nodes: { node: string; identity: string }[] }>('GET', NODES)).nodes;
  /** Waits for records of a refusal, each with where it was and why. */
  const untilToldOf = async (code: string, wanted: readonly string[]) => {
    let missing = wanted;
    const areTold = async () => {
      const records = await scene.admin.records({ code });
      const told = records.map(({ personal }) => `${personal?.address} ${personal?.refusalDetail}`);
      missing = wanted.filter((each) => !told.some((one) => one === each || one.startsWith(`${each},`)));
      return missing.length === 0;
    };
    await eventually('records', areTold, 60_000).catch(() => {});
    expect(missing).toEqual([]);
  };
  const untilSent = (agent: WireAgent) =>
    eventually(`${agent.node} sends it`, async () => (await call(agent)).text.includes('x-key'));
  const untilUnavailable = (agent: WireAgent) =>
    eventually(
      `${agent.node} has no lease any more`,
      async () => {
        const { status, text } = await call(agent);
        return status === 503 && text.includes('WDR_LEASE_UNAVAILABLE');
      },
      40_000,
    );

  it('leaves the keyring and the sealed secrets to credentials alone', () => {
    expect(readdirSync(scene.warder.volume('secrets-ingress'))).not.toContain('keyring');
    expect(readdirSync(scene.warder.volume('secrets-credentials'))).toContain('keyring');
  });

  it('goes on while credentials is away, ends with its time, and comes back with it', async () => {
    const credentials = scene.warder.service('credentials');
    await credentials.kill('SIGKILL');
    for (const agent of agents) expect((await call(agent)).status).toBe(200);
    for (const agent of agents) await untilUnavailable(agent);
    await credentials.restart();
    for (const agent of agents) await untilSent(agent);
  }, 120_000);

  it('takes no lease that somebody who may write to the topic sends again or alters', async () => {
    const [copies] = await kafka.copiesOf([leaseGrantedTopic.name]);
    const forged = copies!.messages.map((message) => {
      const granted = JSON.parse(String(message.value)) as { lease: { sealed: string } | null };
      if (granted.lease !== null) granted.lease.sealed = `A${granted.lease.sealed.slice(1)}`;
      return { ...message, value: JSON.stringify(granted) };
    });
    expect(forged.length).toBeGreaterThan(0);
    await kafka.write([copies!, { topic: leaseGrantedTopic.name, messages: forged }]);
    for (const agent of agents) for (let at = 0; at < 5; at += 1) expect((await call(agent)).status).toBe(200);
  });

  it('takes no state that its owner has not signed, and puts on record that somebody wrote it', async () => {
    const [copies] = await kafka.copiesOf([tokenStateTopic.name]);
    const ended = copies!.messages
      .filter(({ value }) => value !== null)
      .map((message) => {
        const state = JSON.parse(String(message.value)) as { version: number; status: string };
        return { ...message, value: JSON.stringify({ ...state, version: state.version + 1, status: 'revoked' }) };
      });
    expect(ended.length).toBeGreaterThan(0);
    await kafka.write([{ topic: tokenStateTopic.name, messages: ended }]);
    const wanted = [`${tokenStateTopic.name} signature-wrong`];
    await untilToldOf('WDR_MESSAGE_REFUSED', wanted);
    for (const agent of agents) expect((await call(agent)).status).toBe(200);
  }, 120_000);

  it('gives no lease and no membership to whom no key, another node’s key or a wrong clock speaks for', async () => {
    const before = await nodes();
    const wanted = await writeForgedNodes(kafka, scene.warder);
    await untilToldOf(
      'WDR_NODE_REFUSED',
      wanted.map((each) => each.join(' ')),
    );
    expect(await nodes()).toEqual(before);
    for (const agent of agents) expect((await call(agent)).status).toBe(200);
  }, 120_000);

  it('goes on without Kafka until its leases end, says so, refuses then, and comes back by itself', async () => {
    const broker = scene.warder.service('kafka');
    for (const agent of agents) await untilSent(agent);
    await broker.stop();
    for (const agent of agents) expect((await call(agent)).status).toBe(200);
    for (const agent of agents) await untilUnavailable(agent);
    for (const { node } of agents)
      await eventually(`${node} says so`, async () => (await scene.readyz(node)).text.includes('have no lease'));
    await broker.start();
    for (const agent of agents) await untilSent(agent);
    for (const { node } of agents)
      await eventually(`${node} is well`, async () => !(await scene.readyz(node)).text.includes('have no lease'));
  }, 180_000);

  it('starves a node that was revoked, and no other', async () => {
    await scene.admin.ask('DELETE', `${NODES}/ingress-2`);
    await untilUnavailable(agents[1]!);
    expect((await call(agents[0]!)).status).toBe(200);
    // It knows that it was revoked, asks for nothing, and tries its join token, which was used.
    await eventually(
      'a record of it',
      async () =>
        (await scene.admin.records({ code: 'WDR_NODE_REFUSED' })).some(
          ({ personal }) => personal?.address === 'ingress-2' && personal.refusalDetail === 'join-token-used',
        ),
      40_000,
    );
  }, 120_000);
});
