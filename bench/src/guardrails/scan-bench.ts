import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { GuardrailActions, type GuardrailRulesState } from '@warder/contracts';
import { BUILT_IN_PACKS, createEngine } from '@warder/detectors';
import { quantile } from '../statistics.js';
import { TEXT_KINDS } from './scan-texts.js';

/** Characters of a text, how many are screened, and the milliseconds that 99 of 100 may take (issue 7). */
const SIZES = [
  { name: '1 KB', chars: 1_024, texts: 2_000, limitMs: 0.3 },
  { name: '32 KB', chars: 32_768, texts: 300, limitMs: 3 },
  { name: '1 MB', chars: 1_048_576, texts: 20, limitMs: 80 },
] as const;
/** Texts of one kind and size that take turns, so that no branch predictor learns one by heart. */
const VARIANTS = 8;
const WARM_UP = 300;

interface Row {
  readonly kind: string;
  readonly size: string;
  readonly p50: number;
  readonly p99: number;
  /** CPU of the thread for each text, which others' work on the machine does not lengthen. */
  readonly cpu: number;
  readonly limitMs: number;
}

const packs = Object.entries(BUILT_IN_PACKS).map(([pack, detectors]): GuardrailRulesState => ({
  version: 1,
  status: 'active',
  pack,
  detectors: [...detectors],
}));

function measured(): Row[] {
  const engine = createEngine(packs);
  const actions = GuardrailActions.parse({});
  const screen = (text: string): void => void engine.screen({ content: [{ type: 'text', text }] }, 'response', actions);
  return SIZES.flatMap(({ name, chars, texts, limitMs }) =>
    Object.entries(TEXT_KINDS).map(([kind, make]) => {
      const variants = Array.from({ length: VARIANTS }, (_, seed) => make(chars, seed + 1));
      const count = Math.min(WARM_UP, texts);
      for (let turn = 0; turn < count; turn += 1) screen(variants[turn % VARIANTS] ?? '');
      const times: number[] = [];
      const startedAt = process.cpuUsage();
      for (let turn = 0; turn < texts; turn += 1) {
        const text = variants[turn % VARIANTS] ?? '';
        const fromMs = performance.now();
        screen(text);
        times.push(performance.now() - fromMs);
      }
      const { user, system } = process.cpuUsage(startedAt);
      const cpu = (user + system) / 1_000 / texts;
      return { kind, size: name, p50: quantile(times, 0.5), p99: quantile(times, 0.99), cpu, limitMs };
    }),
  );
}

const ms = (value: number): string => value.toFixed(3).padStart(9);

function page(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ kind, size, p50, p99, cpu, limitMs }) =>
      `${size.padEnd(6)}${kind.padEnd(16)}${ms(p50)}${ms(p99)}${ms(cpu)}${ms(limitMs)}  ${p99 <= limitMs ? 'yes' : 'NO'}`,
  );
  const head = `${'size'.padEnd(6)}${'text'.padEnd(16)}${['p50', 'p99', 'CPU', 'limit'].map((each) => each.padStart(9)).join('')}  within`;
  const date = new Date().toISOString().slice(0, 10);
  return `# All scanners together, ${date}\n\nNode ${process.versions.node}, in a worker thread, milliseconds for each text.\n\n\`\`\`text\n${head}\n${lines.join('\n')}\n\`\`\`\n`;
}

if (isMainThread) {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  const worker = new Worker(new URL(import.meta.url));
  worker.once('message', (rows: Row[]) => {
    const text = page(rows);
    process.stdout.write(text);
    if (values.out !== undefined) writeFileSync(values.out, text);
  });
  worker.once('error', (error) => {
    throw error;
  });
} else {
  parentPort?.postMessage(measured());
}
