import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cpuTimeUs, residentMiB } from '../cpu-time.js';
import type { LeasesScene } from './leases-scene.js';
import { pidOf, until } from './process-cost.js';

const START_MS_MAX = 600_000;

/**
 * Times what starts with all people and connections there are: their owners, which say all of it anew, and an ingress
 * node, which verifies each message, with nothing of its own and again with its copy.
 */
export async function benchStarts({ cluster, client }: LeasesScene, say: (line: string) => void): Promise<void> {
  const ready = (name: string) => async (): Promise<boolean> => {
    const url = `http://${cluster.address(name, 8080)}/readyz`;
    return fetch(url).then(
      ({ status }) => status === 200,
      () => false,
    );
  };
  const started = async (what: string, name: string, isDone: () => Promise<boolean>): Promise<void> => {
    const service = cluster.service(name);
    const startMs = performance.now();
    await service.start();
    await until(`${what} is ready`, async () => (await ready(name)()) && (await isDone()), START_MS_MAX);
    const seconds = (performance.now() - startMs) / 1_000;
    const pid = pidOf(service);
    const [cpuS, memory] = [cpuTimeUs(pid) / 1_000_000, residentMiB(pid)];
    const columns = [seconds.toFixed(1).padStart(8), cpuS.toFixed(1).padStart(7), memory.toFixed(0).padStart(9)];
    say(`${what.padEnd(38)} ${columns.join(' ')}`);
  };
  const isSaid = (schema: string) => async (): Promise<boolean> => {
    const { rows } = await client.query<{ left: boolean }>(`SELECT EXISTS (SELECT FROM ${schema}.outbox) AS left`);
    return rows[0]?.left === false;
  };
  say('started with all of them               seconds   CPU s   RSS MiB');
  await started('identity, until all is on the bus', 'identity', isSaid('identity'));
  await started('credentials, until all is on the bus', 'credentials', isSaid('credentials'));
  const node = cluster.service('ingress-2');
  await node.stop();
  rmSync(join(cluster.volume('node-2'), 'replica.sealed'), { force: true });
  await started('ingress, from Kafka, verified', 'ingress-2', async () => true);
  await node.stop();
  await started('ingress, with its copy, verified', 'ingress-2', async () => true);
}
