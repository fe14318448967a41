import { parseArgs } from 'node:util';
import { runGate } from './gate.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '24' },
    'slice-ms': { type: 'string', default: '300' },
    'node-arg': { type: 'string', multiple: true, default: [] },
  },
});
const [mode] = positionals;
if (mode !== 'gate' && mode !== 'stub') {
  process.stderr.write('usage: node bench/run.mjs gate|stub [--rounds 24] [--slice-ms 300] [--node-arg --cpu-prof]\n');
  process.exit(2);
}
const plan = {
  rounds: Number(values.rounds),
  sliceMs: Number(values['slice-ms']),
  warmUpMs: 2_000,
  warmUpCalls: 200_000,
  connections: 16,
  isStub: mode === 'stub',
  nodeArgs: values['node-arg'],
};
// What was started ends with this process, and an interrupted process says nothing of its end by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const isPassed = await runGate(plan, (line) => process.stdout.write(`${line}\n`));
process.exit(isPassed ? 0 : 1);
