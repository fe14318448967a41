import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { benchPropagation } from './propagation-bench.js';

/**
 * How long after its answer a revocation is enforced on the other side of Kafka. Usage: npm run bench:propagation
 * [-- --revocations 500]
 */
const { values } = parseArgs({ options: { revocations: { type: 'string', default: '500' } } });
const revocations = Number(values.revocations);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');

console.log(
  `${revocations} revocations in the cluster of docker-compose.yml; Node ${process.version}; load average at the start ${load()}`,
);
const verdict = await benchPropagation(revocations, (line) => console.log(line));
console.log(`load average at the end ${load()}`);
console.log(`propagation: ${verdict}`);
process.exit(verdict === 'OUT OF ITS BOUNDS' ? 1 : 0);
