import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionsScene } from './connections.scene.js';
import { FakeProvider } from './fake-provider.scene.js';

let scene: ConnectionsScene;
let fake: FakeProvider;

beforeAll(async () => {
  scene = await ConnectionsScene.create();
});
afterAll(() => scene.end());
beforeEach(async () => {
  fake = await FakeProvider.start();
  await scene.start(fake);
  await scene.setUp(fake);
});
afterEach(async () => {
  await scene.stop();
  await fake.stop();
});

const refreshes = (): URLSearchParams[] =>
  fake.tokenRequests.filter((form) => form.get('grant_type') === 'refresh_token');

async function untilGeneration(id: string, generation: number): Promise<void> {
  await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ generation }), 10_000);
}

describe('a connection that is due', () => {
  it('is refreshed once, keeps its account, and tells the nodes of the new generation and no token', async () => {
    const id = await scene.connect();
    await untilGeneration(id, 1);
    await scene.makeDue(id);
    await untilGeneration(id, 2);
    expect(refreshes()).toHaveLength(1);
    expect(scene.states.get(id)).toMatchObject({
      status: 'active',
      accountId: 'id-ana-at-fake',
      principalId: 'usr_ana',
    });
    expect(await scene.row(id)).toMatchObject({ generation: 2, intent: null });
    expect(Number((await scene.row(id))['refresh_at_ms'])).toBeGreaterThan(Date.now());
    await vi.waitFor(() => expect(scene.actions()).toContain('admin/credentials/connection.refresh'));
    expect(scene.carried.join()).not.toContain('canary');
    expect(JSON.stringify(await scene.row(id))).not.toContain('canary');
  });

  it('keeps the refresh token that it has where the provider gives no new one', async () => {
    fake.rotates = false;
    const id = await scene.connect();
    for (const generation of [2, 3]) {
      await scene.makeDue(id);
      await untilGeneration(id, generation);
    }
    const [first, second] = refreshes();
    expect(first?.get('refresh_token')).toMatch(/^rt-canary-/);
    expect(second?.get('refresh_token')).toBe(first?.get('refresh_token'));
  });

  it('is left to its owner where the provider takes its token no more, with every token forgotten', async () => {
    const id = await scene.connect();
    fake.grants = [];
    await scene.makeDue(id);
    await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ status: 'reconnect_required' }), 10_000);
    expect(await scene.row(id)).toMatchObject({ reason: 'invalid_grant', access_token: null, refresh_token: null });
    await vi.waitFor(() => expect(scene.actions()).toContain('admin/credentials/connection.reconnect-required'));
    await scene.connect();
    expect(scene.states.get(id)).toMatchObject({ status: 'active' });
    expect(scene.states.get(id)).toMatchObject({ generation: 2 });
  });

  it('waits for as long as the provider asks, and so do all of its connections', async () => {
    const id = await scene.connect();
    const other = await scene.connect('ben');
    fake.troubles = [{ status: 429, body: { error: 'slow_down' }, retryAfter: '30' }];
    await scene.makeDue(id);
    await vi.waitFor(async () => {
      const [provider] = (await scene.ask('GET', '/providers')).body.providers;
      expect(provider?.pausedUntilMs).toBeGreaterThan(Date.now() + 20_000);
    }, 10_000);
    await scene.makeDue(other);
    await vi.waitFor(async () => {
      expect(await scene.row(id)).toMatchObject({ status: 'active', generation: 1, intent: null });
    });
    const asked = refreshes().length;
    scene.aheadMs = 31_000;
    await untilGeneration(other, 2);
    await untilGeneration(id, 2);
    expect(asked).toBe(1);
  });

  it('is not blamed where our client is refused: the provider has an alarm, once on record', async () => {
    const id = await scene.connect();
    fake.troubles = [
      { status: 401, body: { error: 'invalid_client' } },
      { status: 401, body: { error: 'invalid_client' } },
    ];
    await scene.makeDue(id);
    await vi.waitFor(async () => {
      expect((await scene.ask('GET', '/providers')).body.providers).toMatchObject([{ alarm: 'invalid_client' }]);
    }, 10_000);
    scene.aheadMs = 60_000;
    await vi.waitFor(() => expect(refreshes()).toHaveLength(2), 10_000);
    await vi.waitFor(async () => expect((await scene.row(id))['intent']).toBeNull(), 10_000);
    scene.aheadMs = 600_000;
    await untilGeneration(id, 2);
    expect((await scene.ask('GET', '/providers')).body.providers).toMatchObject([{ alarm: null }]);
    const alarms = () => scene.actions().filter((action) => action.endsWith('provider.alarm'));
    await vi.waitFor(() => expect(alarms()).toHaveLength(1));
  });

  it('is tried again after an outage, and none of its tries counts as one that may have used the token up', async () => {
    const id = await scene.connect();
    fake.troubles = Array.from({ length: 4 }, () => ({ status: 503, body: {} }));
    await scene.makeDue(id);
    for (let ahead = 1; ahead <= 4; ahead += 1) {
      await vi.waitFor(() => expect(refreshes()).toHaveLength(ahead), 10_000);
      await vi.waitFor(async () => expect((await scene.row(id))['intent']).toBeNull(), 10_000);
      scene.aheadMs += 300_000;
    }
    await untilGeneration(id, 2);
  });
});

describe('a refresh whose answer never came', () => {
  it('is tried once more with the same token, which a provider that did nothing takes', async () => {
    const id = await scene.connect();
    fake.troubles = ['hang-up'];
    await scene.makeDue(id);
    await vi.waitFor(async () => expect((await scene.row(id))['intent']).toMatchObject({ isGivenUp: true }), 10_000);
    scene.aheadMs = 60_000;
    await untilGeneration(id, 2);
    const [first, second] = refreshes();
    expect(second?.get('refresh_token')).toBe(first?.get('refresh_token'));
  });

  it('leaves the connection to its owner where the provider had used the token up', async () => {
    const id = await scene.connect();
    fake.troubles = ['act-and-hang-up'];
    await scene.makeDue(id);
    await vi.waitFor(async () => expect((await scene.row(id))['intent']).toMatchObject({ isGivenUp: true }), 10_000);
    scene.aheadMs = 60_000;
    await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ status: 'reconnect_required' }), 10_000);
  });

  it('is not tried a third time: the connection says that nobody knows', async () => {
    const id = await scene.connect();
    fake.troubles = ['hang-up', 'hang-up'];
    await scene.makeDue(id);
    await vi.waitFor(
      async () => expect((await scene.row(id))['intent']).toMatchObject({ isGivenUp: true, tries: 1 }),
      10_000,
    );
    scene.aheadMs = 60_000;
    await vi.waitFor(
      async () => expect((await scene.row(id))['intent']).toMatchObject({ isGivenUp: true, tries: 2 }),
      10_000,
    );
    scene.aheadMs = 600_000;
    await vi.waitFor(async () => {
      expect(await scene.row(id)).toMatchObject({ status: 'reconnect_required', reason: 'refresh_outcome_unknown' });
    }, 10_000);
    expect(refreshes()).toHaveLength(2);
  });
});

describe('the metrics', () => {
  const metric = async (line: string): Promise<number> => {
    const text = await (await fetch(`${scene.running!.url}/metrics`)).text();
    const found = text.split('\n').find((each) => each.startsWith(`${line} `));
    return Number(found?.split(' ').at(-1) ?? 0);
  };

  it('tell how refreshes ended, why they failed, how many wait, and that a provider rests', async () => {
    const id = await scene.connect();
    await scene.makeDue(id);
    await untilGeneration(id, 2);
    await vi.waitFor(async () => expect(await metric('warder_refreshes_total{outcome="refreshed"}')).toBe(1));
    // It rests for longer than until the next look at what waits.
    fake.troubles = [{ status: 401, body: { error: 'invalid_client' }, retryAfter: '30' }];
    await scene.makeDue(id);
    await vi.waitFor(async () => {
      expect(await metric('warder_refreshes_total{outcome="postponed"}')).toBe(1);
      expect(await metric('warder_refresh_failures_total{why="client"}')).toBe(1);
    }, 10_000);
    // Due again while its provider rests.
    await scene.makeDue(id);
    await vi.waitFor(async () => {
      expect(await metric('warder_refreshes_due')).toBe(1);
      expect(await metric('warder_refresh_providers{state="paused"}')).toBe(1);
      expect(await metric('warder_refresh_providers{state="alarm"}')).toBe(1);
    }, 10_000);
    fake.grants = [];
    scene.aheadMs = 60_000;
    await vi.waitFor(async () => {
      expect(await metric('warder_refreshes_total{outcome="reconnect-required"}')).toBe(1);
      expect(await metric('warder_refresh_failures_total{why="terminal"}')).toBe(1);
    }, 10_000);
  });
});
