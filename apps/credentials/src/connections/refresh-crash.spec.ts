import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionsScene } from './connections.scene.js';
import { FakeProvider } from './fake-provider.scene.js';

/** A process of the service as it was built, on the bus of its own; it refreshes what is due until it is killed. */
const PROCESS = `
const [service, host, bus, telemetry, config] = process.argv.slice(2);
const { credentialsService } = await import(service);
const { startServiceForTest } = await import(host);
const { createInProcessBus } = await import(bus);
const { createLogger } = await import(telemetry);
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const own = createInProcessBus({ node: 'killed', log: createLogger('x', { level: 'silent' }), clock });
await startServiceForTest(credentialsService, JSON.parse(config), { bus: own, clock });
process.stdout.write('up');
`;

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

const refreshes = (): number => fake.tokenRequests.filter((form) => form.get('grant_type') === 'refresh_token').length;

/** The same service in a process of its own. */
async function startProcess(): Promise<{ kill(): Promise<void> }> {
  const built = (lib: string): string => import.meta.resolve(`../../../../libs/${lib}/dist/index.js`);
  const config = JSON.stringify(scene.configFor(fake));
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      PROCESS,
      '-',
      new URL('../../dist/index.js', import.meta.url).href,
      ...['service-host', 'bus', 'telemetry'].map(built),
      config,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  );
  await once(child.stdout, 'data');
  return {
    async kill() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

describe('two processes on one database', () => {
  it('refresh each connection once, however often it is due for both', async () => {
    const other = await startProcess();
    try {
      const id = await scene.connect();
      for (let generation = 2; generation <= 6; generation += 1) {
        await scene.makeDue(id);
        await vi.waitFor(async () => expect(await scene.row(id)).toMatchObject({ generation, intent: null }), 10_000);
      }
      expect(refreshes()).toBe(5);
      expect(fake.grants.map(({ isRevoked }) => isRevoked)).toEqual([false]);
    } finally {
      await other.kill();
    }
  });
});

describe('a process that is killed after its request has left', () => {
  /** Has another process send a refresh, and kills it before it hears the answer. */
  async function killInBetween(troubles: FakeProvider['troubles']): Promise<string> {
    const id = await scene.connect();
    fake.troubles = troubles;
    await scene.running!.stop();
    const process_ = await startProcess();
    fake.gate = async () => {
      fake.gate = async () => {};
      await process_.kill();
    };
    await scene.makeDue(id);
    await vi.waitFor(() => expect(refreshes()).toBe(1), 10_000);
    await process_.kill();
    expect(await scene.row(id)).toMatchObject({ generation: 1, intent: { generation: 1, tries: 1 } });
    return id;
  }

  it('leaves its intent; the next one waits for its time and sends the same token once, which was not used', async () => {
    const id = await killInBetween([{ status: 503, body: {} }]);
    await scene.startService(fake);
    expect(await scene.row(id)).toMatchObject({ generation: 1, intent: { tries: 1 } });
    scene.aheadMs = 60_000;
    await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ generation: 2, status: 'active' }), 10_000);
    expect(refreshes()).toBe(2);
    const [first, second] = fake.tokenRequests.slice(-2);
    expect(second?.get('refresh_token')).toBe(first?.get('refresh_token'));
  });

  it('leaves its intent; where the provider had used the token up, the connection says so and nothing is used twice', async () => {
    const id = await killInBetween([]);
    await scene.startService(fake);
    scene.aheadMs = 60_000;
    await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ status: 'reconnect_required' }), 10_000);
    expect(await scene.row(id)).toMatchObject({ reason: 'invalid_grant', access_token: null, refresh_token: null });
    scene.aheadMs = 3_600_000;
    expect(refreshes()).toBe(2);
  });
});
