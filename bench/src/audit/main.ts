import { parseArgs } from 'node:util';
import { OTHERS_CPU, pin } from '../processes.js';
import { roomRefusal, runArchive } from './archive-bench.js';
import { runDrain } from './drain-bench.js';
import { runIngest } from './ingest-bench.js';
import { PrintedReport } from './report.js';
import { runSoak } from './soak-bench.js';
import { runWhoUsed } from './who-used-bench.js';

const USAGE = `usage: node bench/run.mjs audit [--drained 200000] [--ingested 500000] [--asked 10000000]
       node bench/run.mjs audit-full [--hot 20000000] [--cold 80000000]
       node bench/run.mjs soak [--minutes 30] [--per-second 5000]
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    drained: { type: 'string', default: '200000' },
    ingested: { type: 'string', default: '500000' },
    asked: { type: 'string', default: '10000000' },
    hot: { type: 'string', default: '20000000' },
    cold: { type: 'string', default: '80000000' },
    minutes: { type: 'string', default: '30' },
    'per-second': { type: 'string', default: '5000' },
    'node-arg': { type: 'string', multiple: true, default: [] },
  },
});
const [mode] = positionals;
if (mode !== 'audit' && mode !== 'audit-full' && mode !== 'soak') {
  process.stderr.write(USAGE);
  process.exit(2);
}
// What was started ends with this process, and an interrupted process says nothing of its end by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
// The broker, and what publishes, are not on the CPU that is measured.
pin(process.pid, String(OTHERS_CPU));
const report = new PrintedReport((line) => process.stdout.write(`${line}\n`));
if (mode === 'audit') {
  const [drained, ingested, asked] = [Number(values.drained), Number(values.ingested), Number(values.asked)];
  if (drained > 0) await runDrain(drained, report);
  if (ingested > 0) await runIngest({ records: ingested, nodeArgs: values['node-arg'] }, report);
  if (asked > 0) await runWhoUsed(asked, report);
} else if (mode === 'audit-full') {
  const plan = { hot: Number(values.hot), cold: Number(values.cold) };
  const refusal = roomRefusal(plan);
  if (refusal !== undefined) {
    process.stderr.write(`${refusal}\n`);
    process.exit(1);
  }
  await runArchive(plan, report);
} else {
  await runSoak({ minutes: Number(values.minutes), perSecond: Number(values['per-second']) }, report);
}
report.end();
process.exit(0);
