import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKafkaBus } from '@warder/bus';
import { issueToken } from '@warder/tokens';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { IngressScene } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

const scenes: IngressScene[] = [];
const upstreams: FixtureUpstream[] = [];

afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.stop();
  for (const upstream of upstreams.splice(0)) await upstream.close();
});

async function started(config: object = {}, more: Record<string, string> = {}) {
  const upstream = await startFixtureUpstream();
  upstreams.push(upstream);
  const urls = Object.entries({ fixture: upstream.url, ...more });
  const entry = (url: string) => ({ transport: { kind: 'streamable-http' as const, url }, allowPrivateAddress: true });
  const scene = new IngressScene();
  scenes.push(scene);
  await scene.start(
    {
      upstreams: Object.fromEntries(urls.map(([name, url]) => [name, entry(url)])),
      virtualServers: {
        dev: { tools: urls.map(([name]) => ({ upstream: name, tool: '*' })) },
        away: { tools: Object.keys(more).map((name) => ({ upstream: name, tool: '*' })) },
      },
      grants: [{ name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['*/*'] }],
    },
    config,
  );
  const token = await scene.token('ana');
  const client = new WireClient(scene, 'modern', token);
  await scene.untilListed(client, 'fixture__echo');
  return { scene, upstream, client, token };
}

const readyz = async (scene: IngressScene) => scene.send('/readyz', { method: 'GET' });

describe('an upstream that is away', () => {
  const nowhere = 'http://127.0.0.1:9/mcp';

  it('costs only its own tools: the list names it, and only a list of nothing else is refused', async () => {
    const { client, scene, token } = await started({}, { gone: nowhere });
    const listed = messageOf(await client.ask('tools/list'));
    expect(listed.result?._meta?.['warder/partial']).toEqual(['gone']);
    const answer = await new WireClient(scene, 'modern', token, 'away').ask('tools/list');
    expect([answer.status, answer.text.includes('WDR_LIST_UNAVAILABLE')]).toEqual([503, true]);
    expect((await client.call('fixture__echo', { text: 'x' })).status).toBe(200);
  });

  it('keeps its tools in the list after it was there once', async () => {
    const { client, upstream } = await started();
    upstream.set({ status: 503 });
    expect((await client.ask('tools/list')).text).toContain('fixture__echo');
    expect((await client.call('fixture__echo', {})).text).toContain('WDR_UPSTREAM_FAILED');
  });
});

describe('the watchdog', () => {
  it('says that identity is silent after 30 s, and lets nobody in after 15 min: WDR_IDENTITY_STALE', async () => {
    const { scene, client } = await started();
    scene.clock.push(31_000);
    expect(await readyz(scene)).toMatchObject({ status: 200, text: expect.stringContaining('identity is silent') });
    expect((await client.call('fixture__echo', {})).status).toBe(200);
    scene.clock.push(870_000);
    const answer = await client.call('fixture__echo', {});
    expect([answer.status, answer.text.includes('WDR_IDENTITY_STALE')]).toEqual([503, true]);
    expect((await readyz(scene)).status).toBe(503);
  });

  it('does not close where an operator said never', async () => {
    const { scene, client } = await started({ watchdog: { failClosedAfterMs: 'never' } });
    scene.clock.push(3_000_000);
    expect((await client.call('fixture__echo', {})).status).toBe(200);
  });
});

describe('a node that starts while the bus is away', () => {
  const awayBus = (scene: IngressScene) => {
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    return createKafkaBus({ node: 'ingress-1', service: 'ingress', brokers: ['127.0.0.1:9'], log, clock: scene.clock });
  };

  it('serves its sealed last-good state, catalogue included, with its age counted', async () => {
    const { scene, client, token } = await started();
    await scene.host.stop();
    expect(readFileSync(join(scene.dir, 'replica.sealed')).includes('ana name')).toBe(false);
    const bus = awayBus(scene);
    await scene.startNode({}, bus);
    try {
      const answer = await client.call('fixture__echo', { text: 'still here' });
      expect(answer.text).toContain('still here');
      expect((await client.ask('tools/list')).text).toContain('fixture__echo');
      scene.clock.push(900_000);
      expect((await new WireClient(scene, 'modern', token).call('fixture__echo', {})).status).toBe(503);
    } finally {
      await scene.host.stop();
      await bus.close();
    }
  });

  it('decides nothing without one: WDR_STATE_NOT_READY', async () => {
    const { scene, client } = await started();
    await scene.host.stop();
    const bus = awayBus(scene);
    await scene.startNode({ replicaFile: join(scene.dir, 'none') }, bus);
    try {
      const answer = await client.call('fixture__echo', {});
      expect([answer.status, answer.text.includes('WDR_STATE_NOT_READY')]).toEqual([503, true]);
      expect((await readyz(scene)).status).toBe(503);
    } finally {
      await scene.host.stop();
      await bus.close();
    }
  });

  it('does not believe a copy that another key sealed', async () => {
    const { scene, client } = await started();
    await scene.host.stop();
    const bus = awayBus(scene);
    await scene.startNode({ sessionKey: 'another-session-key-of-32-characters' }, bus);
    try {
      expect((await client.call('fixture__echo', {})).status).toBe(503);
    } finally {
      await scene.host.stop();
      await bus.close();
    }
  });
});

it('refuses calls, reaching no upstream, when the journal is full: WDR_JOURNAL_FULL', async () => {
  const { client, upstream } = await started({
    journal: { dir: '', sizeMaxBytes: 1_048_576, segmentBytes: 262_144, isDrainPaused: true },
  });
  const text = 'x'.repeat(16_000);
  let answer = await client.call('fixture__echo', { text });
  let calls = 1;
  while (answer.status === 200 && calls < 200) {
    answer = await client.call('fixture__echo', { text });
    calls += 1;
  }
  expect([answer.status, answer.headers['retry-after'], answer.text.includes('WDR_JOURNAL_FULL')]).toEqual([
    503,
    '5',
    true,
  ]);
  expect(upstream.executed()).toHaveLength(calls - 1);
});

it('limits an address before anyone is identified: WDR_ADDRESS_LIMITED', async () => {
  const { scene, client } = await started({
    limits: { addressRequestsPerMinute: 1, addressBurst: 100, refusalWindowMs: 100 },
  });
  let answer = await client.ask('ping');
  for (let asked = 0; answer.status !== 429 && asked < 200; asked += 1) answer = await client.ask('ping');
  expect(answer.text).toContain('WDR_ADDRESS_LIMITED');
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  await vi.waitFor(() => {
    expect(scene.records.find((record) => record.refusal?.code === 'WDR_ADDRESS_LIMITED')).toBeDefined();
  });
});

it('writes one record with a count for a flood of strangers, and serves its callers meanwhile', async () => {
  const { scene, client } = await started({ limits: { refusalWindowMs: 500 } });
  const flood = Array.from({ length: 300 }, () => {
    const stranger = new WireClient(
      scene,
      'modern',
      issueToken((bytes) => randomBytes(bytes)),
    );
    return stranger.call('fixture__echo', {});
  });
  expect((await client.call('fixture__echo', {})).status).toBe(200);
  expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([401]));
  await vi.waitFor(() => {
    const counted = scene.records.filter((record) => record.refusal?.code === 'WDR_TOKEN_UNKNOWN');
    expect(counted.reduce((sum, record) => sum + record.count, 0)).toBe(300);
    expect(counted.length).toBeLessThan(10);
  });
});
