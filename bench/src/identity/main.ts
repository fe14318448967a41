import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { benchChecks } from './check-bench.js';
import { benchReadiness } from './ready-bench.js';

/**
 * What identity costs a node at scale: to be ready with all of its people and tokens, from Kafka and from its own copy,
 * and to tell who calls. Usage: npm run bench:identity [-- --people 100000]
 */
const { values } = parseArgs({ options: { people: { type: 'string', default: '100000' } } });
const people = Number(values.people);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');

console.log(`${people} people with a token each; Node ${process.version}; load average at the start ${load()}`);
const checked = await benchChecks(people, (line) => console.log(line));
const ready = await benchReadiness(people, (line) => console.log(line));
console.log(`load average at the end ${load()}`);
console.log(`identity: ${checked && ready ? 'within its bounds' : 'OUT OF ITS BOUNDS'}`);
process.exit(checked && ready ? 0 : 1);
