import { parseArgs } from 'node:util';
import { OTHERS_CPU, pin } from '../processes.js';
import { runIngest } from './ingest-bench.js';
import { PrintedReport } from './report.js';

const USAGE = `usage: node bench/run.mjs audit [--ingested 500000]
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ingested: { type: 'string', default: '500000' },
    'node-arg': { type: 'string', multiple: true, default: [] },
  },
});
const [mode] = positionals;
if (mode !== 'audit') {
  process.stderr.write(USAGE);
  process.exit(2);
}
// What was started ends with this process, and an interrupted process says nothing of its end by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
// The broker, and what publishes, are not on the CPU that is measured.
pin(process.pid, String(OTHERS_CPU));
const report = new PrintedReport((line) => process.stdout.write(`${line}\n`));
await runIngest({ records: Number(values.ingested), nodeArgs: values['node-arg'] }, report);
report.end();
process.exit(0);
