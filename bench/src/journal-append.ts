import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Journal, openJournal } from '@warder/journal';

/**
 * What the journal costs the loop, and what a strict record waits for the disk. Prints a table; decides nothing, for the
 * figures are the disk's. Usage: npm run bench:journal [-- <directory on the disk that is meant>]
 */
const WARM = 500;
const SECONDS = 5;
const INTENT = JSON.stringify({ recordId: 'x'.repeat(36), text: 'i'.repeat(900) });
const OUTCOME = JSON.stringify({ outcome: 'success', text: 'o'.repeat(400) });

interface Row {
  readonly name: string;
  readonly append: number[];
  readonly durable: number[];
  readonly cpuUs: number;
  readonly count: number;
}

const dir = mkdtempSync(join(process.argv[2] ?? '.', 'warder-bench-journal-'));
try {
  console.log(
    'calls of two frames (intent 1.0 KB, outcome 0.4 KB); microseconds, CPU of all threads without the drain; written: async in the page cache, strict on the disk',
  );
  console.log('mode    calls/s  append p50  p99    written p50  p99      CPU/record');
  for (const mode of ['async', 'strict']) {
    for (const perSecond of [1_000, 5_000]) console.log(line(await run(mode, perSecond)));
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function run(mode: string, perSecond: number): Promise<Row> {
  const strict = mode === 'strict';
  const journal = await openJournal({
    dir: join(dir, `${mode}-${perSecond}`),
    node: 'bench',
    sizeMaxBytes: 2_147_483_648,
    drain: { kind: 'publish', publish: async () => {} },
    isPaused: true,
    log: { debug() {}, info() {}, warn() {}, error: console.error },
    clock: { monotonicMs: () => performance.now() },
  });
  const append: number[] = [];
  const durable: number[] = [];
  await Promise.all(Array.from({ length: WARM }, () => call(journal, strict, [], [])));
  const idle = await idleCpuUs(perSecond);
  const cpu = process.cpuUsage();
  const calls: Promise<void>[] = [];
  const count = await paced(perSecond, () => void calls.push(call(journal, strict, append, durable)));
  await Promise.all(calls);
  const used = process.cpuUsage(cpu);
  await journal.close();
  return { name: `${mode} ${perSecond}`, append, durable, cpuUs: (used.user + used.system - idle) / count, count };
}

async function call(journal: Journal, strict: boolean, append: number[], durable: number[]): Promise<void> {
  const from = performance.now();
  const { sequence, written } = journal.openIntent(INTENT, { strict });
  append.push(performance.now() - from);
  await written;
  durable.push(performance.now() - from);
  await journal.closeIntent(sequence, OUTCOME, { strict });
}

/** Begins so many acts a second, whether earlier ones have ended or not. @returns how many */
async function paced(perSecond: number, act: () => void): Promise<number> {
  const fromMs = performance.now();
  let done = 0;
  for (;;) {
    const elapsedMs = performance.now() - fromMs;
    if (elapsedMs >= SECONDS * 1_000) return done;
    for (const due = (elapsedMs * perSecond) / 1_000; done < due; done++) act();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What the pacing itself takes. */
async function idleCpuUs(perSecond: number): Promise<number> {
  const cpu = process.cpuUsage();
  await paced(perSecond, () => {});
  const { user, system } = process.cpuUsage(cpu);
  return user + system;
}

function line({ name, append, durable, cpuUs }: Row): string {
  const [mode = '', perSecond = ''] = name.split(' ');
  const us = (values: number[], share: number): string => {
    const sorted = values.toSorted((one, other) => one - other);
    return (1_000 * (sorted[Math.floor(sorted.length * share)] ?? 0)).toFixed(1);
  };
  return [
    mode.padEnd(8),
    perSecond.padEnd(9),
    us(append, 0.5).padEnd(12),
    us(append, 0.99).padEnd(7),
    us(durable, 0.5).padEnd(13),
    us(durable, 0.99).padEnd(9),
    cpuUs.toFixed(1),
  ].join('');
}
