import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { benchCold } from './cold-bench.js';
import { LeasesScene } from './leases-scene.js';
import { benchScheduler } from './scheduler-bench.js';
import { benchStarts } from './start-bench.js';

/**
 * What leases and connections cost at scale, in the cluster of docker-compose.yml: to start with all of them, to have
 * their tokens anew, and to wait for a lease over Kafka. Usage: npm run bench:leases
 * [-- --connections 100000 --calls 500 --measure-s 60]
 */
const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '100000' },
    calls: { type: 'string', default: '500' },
    'measure-s': { type: 'string', default: '60' },
  },
});
const connections = Number(values.connections);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
const say = (line: string): void => console.log(line);

say(`${connections} people with a connection each; Node ${process.version}; load average at the start ${load()}`);
const scene = await LeasesScene.start();
let isWithin = false;
try {
  await scene.add(connections);
  await benchStarts(scene, say);
  say(`load average ${load()}`);
  const isCold = await benchCold(scene, Number(values.calls), say);
  say(`load average ${load()}`);
  const isRefreshed = await benchScheduler(scene, Number(values['measure-s']) * 1_000, say);
  isWithin = isCold && isRefreshed;
} finally {
  await scene.stop();
}
say(`load average at the end ${load()}`);
say(`leases: ${isWithin ? 'within their aim (cold p99 under 150 ms)' : 'OUT OF THEIR AIM (cold p99 under 150 ms)'}`);
process.exit(isWithin ? 0 : 1);
