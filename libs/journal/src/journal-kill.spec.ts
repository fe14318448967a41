import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Journal, openJournal } from './journal.js';
import type { JournalDrain } from './journal-options.js';

const ROUNDS = 8;
const package_ = fileURLToPath(new URL('..', import.meta.url));
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
let dir: string;

/**
 * Opens, closes and appends as fast as it can until it is killed. It writes down, with a write of its own, what it was
 * told was written (`I`, `O`, `R`) and what it published (`P`).
 */
const WRITER = `
import { appendFileSync, openSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
const [built, dir, ledgerPath] = process.argv.slice(2);
const { openJournal } = await import(built);
const ledger = openSync(ledgerPath, 'a');
const note = (line) => writeSync(ledger, line + '\\n');
const log = { debug() {}, info() {}, warn() {}, error() {} };
const publish = async (entries) => {
  for (const { key, value } of entries) { const { sequence, outcome } = JSON.parse(value); note('P ' + sequence + ' ' + key + ' ' + outcome); }
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
};
const journal = await openJournal({ dir, node: 'n', segmentBytes: 262144, sizeMaxBytes: 64 * 262144, drain: { kind: 'publish', publish }, log, clock: { monotonicMs: () => performance.now() } });
const outcome = JSON.stringify({ outcome: 'success', padding: 'o'.repeat(700) });
async function caller() {
  for (;;) await act().catch(full);
}
// A slow machine may fill the journal before the kill: what was refused has not happened.
async function full(error) {
  if (error.name !== 'JournalFullError') throw error;
  await new Promise((resolve) => setTimeout(resolve, 5));
}
async function act() {
  const recordId = randomUUID();
  if (Math.random() < 0.2) {
    const sequence = await journal.append(JSON.stringify({ recordId, outcome: 'failure', padding: 'r'.repeat(Math.random() * 2000 | 0) }));
    note('R ' + sequence + ' ' + recordId);
    return;
  }
  const { sequence, written } = journal.openIntent(JSON.stringify({ recordId, padding: 'i'.repeat(Math.random() * 3000 | 0) }));
  await written;
  note('I ' + sequence + ' ' + recordId);
  for (let turn = Math.random() * 6 | 0; turn > 0; turn--) await new Promise(setImmediate);
  await journal.closeIntent(sequence, outcome);
  note('O ' + sequence + ' ' + recordId);
}
console.log('ready');
await Promise.all(Array.from({ length: 20 }, () => caller().catch((error) => { console.error(error); process.exit(3); })));
`;

beforeAll(() => {
  execFileSync(join(package_, '../../node_modules/.bin/tsc'), ['-b', package_], { stdio: 'inherit' });
  dir = mkdtempSync(join(tmpdir(), 'warder-journal-kill-'));
  writeFileSync(join(dir, 'writer.mjs'), WRITER);
  writeFileSync(join(dir, 'ledger'), '');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Lets the writer work, or start, for a while and ends it without a warning. */
async function killedWriter(afterMs: number, isStarted: boolean): Promise<void> {
  const built = join(package_, 'dist', 'index.js');
  const child: ChildProcess = spawn(
    process.execPath,
    [join(dir, 'writer.mjs'), built, join(dir, 'j'), join(dir, 'ledger')],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  if (isStarted) await Promise.race([once(child.stdout!, 'data'), ended]);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  const [code, signal] = await ended;
  expect([code, signal]).toEqual([null, 'SIGKILL']);
}

it('loses no record and gives no sequence twice, wherever its process is killed', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await killedWriter(30 + Math.random() * 250, true);
    // Most of these end while it starts, recovers or adopts.
    await killedWriter(60 + Math.random() * 120, false);
  }
  const lines = (): string[][] =>
    readFileSync(join(dir, 'ledger'), 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
  const published = new Map<number, { id: string; outcome: string }>();
  const note = (sequence: number, id: string, outcome: string): void => {
    const earlier = published.get(sequence);
    expect(earlier ?? { id, outcome }).toEqual({ id, outcome });
    published.set(sequence, { id, outcome });
  };
  for (const [kind, sequence, id, outcome] of lines()) if (kind === 'P') note(Number(sequence), id!, outcome!);
  const drain: JournalDrain = {
    kind: 'publish',
    async publish(entries) {
      for (const { key, value } of entries) {
        const record = JSON.parse(value.toString()) as { sequence: number; outcome: string };
        note(record.sequence, key, record.outcome);
      }
    },
  };
  const clock = { monotonicMs: () => performance.now() };
  const last: Journal = await openJournal({
    dir: join(dir, 'j'),
    node: 'n',
    segmentBytes: 262_144,
    sizeMaxBytes: 64 * 262_144,
    drain,
    log: quiet,
    clock,
  });
  await last.close();
  expect(last.undelivered()).toBe(0);

  expect([...published.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: published.size }, (_, n) => n + 1));
  expect(new Set([...published.values()].map(({ id }) => id)).size).toBe(published.size);
  const told = lines().filter(([kind]) => kind === 'I' || kind === 'O' || kind === 'R');
  expect(told.length).toBeGreaterThan(100);
  for (const [kind, sequence, id] of told) {
    const record = published.get(Number(sequence));
    const outcomes: Record<string, string[]> = { I: ['success', 'unknown'], O: ['success'], R: ['failure'] };
    expect(record?.id).toBe(id);
    expect(outcomes[kind!]).toContain(record?.outcome);
  }
});
