import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { RawEntry } from '@warder/bus';
import type { AuditCheckpoint } from '@warder/contracts';
import { CompactRange, readCheckpoint, recordLeafOf } from '@warder/merkle-log';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openJournal } from './journal.js';

const ROUNDS = 12;
const package_ = fileURLToPath(new URL('..', import.meta.url));
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
let dir: string;

/** Records and drains as fast as it can until it is killed, and writes down all that it published before it is told. */
const DRAINER = `
import { createPrivateKey, randomUUID } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';
const [built, dir, ledgerPath, keyPath] = process.argv.slice(2);
const { openJournal } = await import(built);
const ledger = openSync(ledgerPath, 'a');
const note = (text) => writeSync(ledger, text + '\\n');
const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
const log = { debug() {}, info() {}, warn() {}, error() {} };
const drain = {
  kind: 'publish',
  async publish(entries) { for (const { value } of entries) note(value.toString()); await pause(); },
  async publishCheckpoint({ value }) { note(value.toString()); await pause(); if (Math.random() < 0.2) throw new Error('away'); },
};
const journal = await openJournal({ dir, node: 'n', segmentBytes: 262144, sizeMaxBytes: 64 * 262144, drain,
  checkpoints: { privateKey: createPrivateKey(readFileSync(keyPath)), everyMs: 15 }, log, clock: { monotonicMs: () => performance.now() } });
const outcome = JSON.stringify({ outcome: 'success', personal: { result: 'o'.repeat(300) } });
async function act() {
  const half = JSON.stringify({ recordId: randomUUID(), personal: { salt: randomUUID(), padding: 'i'.repeat(Math.random() * 2000 | 0) } });
  if (Math.random() < 0.3) return void (await journal.append(half));
  const { sequence, written } = journal.openIntent(half);
  await written;
  for (let turn = Math.random() * 6 | 0; turn > 0; turn--) await new Promise(setImmediate);
  await journal.closeIntent(sequence, outcome);
}
async function caller() {
  for (;;) await act().catch(async (error) => { if (error.name !== 'JournalFullError') throw error; await pause(); });
}
console.log('ready');
await Promise.all(Array.from({ length: 12 }, () => caller().catch((error) => { console.error(error); process.exit(3); })));
`;

beforeAll(() => {
  execFileSync(join(package_, '../../node_modules/.bin/tsc'), ['-b', package_], { stdio: 'inherit' });
  dir = mkdtempSync(join(tmpdir(), 'warder-tree-kill-'));
  writeFileSync(join(dir, 'drainer.mjs'), DRAINER);
  writeFileSync(join(dir, 'ledger'), '');
  writeFileSync(join(dir, 'key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function killedDrainer(afterMs: number): Promise<void> {
  const paths = [join(package_, 'dist', 'index.js'), join(dir, 'j'), join(dir, 'ledger'), join(dir, 'key')];
  const child = spawn(process.execPath, [join(dir, 'drainer.mjs'), ...paths], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  await Promise.race([once(child.stdout, 'data'), ended]);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
}

/** A generator of whole numbers that begins with the seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

it('has one tree with one content for each index, wherever the process that drains is killed', async () => {
  const seed = Number(process.env.WARDER_SEED ?? randomInt(2 ** 31));
  console.log(`tree kill: WARDER_SEED=${seed}`);
  const random = randomFrom(seed);
  for (let round = 0; round < ROUNDS; round++) await killedDrainer(20 + random(250));
  const lines = readFileSync(join(dir, 'ledger'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const last = lines.at(-1)!;
  // A write of the ledger can be cut by the kill: nobody was told that it arrived.
  const published = lines.filter((line) => line.endsWith('}') || line === last);
  const take = async (entry: RawEntry): Promise<void> => void published.push(entry.value.toString());
  const journal = await openJournal({
    dir: join(dir, 'j'),
    node: 'n',
    segmentBytes: 262_144,
    sizeMaxBytes: 64 * 262_144,
    drain: {
      kind: 'publish',
      publish: async (entries) => void (await Promise.all(entries.map(take))),
      publishCheckpoint: take,
    },
    checkpoints: { privateKey, everyMs: 60_000 },
    log: quiet,
    clock: { monotonicMs: () => performance.now() },
  });
  await journal.close();
  expect(journal.undelivered()).toBe(0);

  const contents = new Map<number, Buffer>();
  const checkpoints = new Map<number, AuditCheckpoint>();
  const contradictions: string[] = [];
  for (const text of published) {
    const value = JSON.parse(text) as AuditCheckpoint & { index: number };
    const isRecord = value.note === undefined;
    const earlier = isRecord ? contents.get(value.index)?.toString() : JSON.stringify(checkpoints.get(value.size));
    if (earlier !== undefined && earlier !== text) contradictions.push(text);
    if (isRecord) contents.set(value.index, Buffer.from(text));
    else checkpoints.set(value.size, value);
  }
  expect(contradictions).toEqual([]);
  console.log(`tree kill: ${contents.size} records, ${checkpoints.size} checkpoints, ${published.length} messages`);
  expect(contents.size).toBeGreaterThan(100);
  expect(checkpoints.size).toBeGreaterThan(ROUNDS / 2);

  const range = new CompactRange();
  let leavesFrom = 0;
  for (let index = 0; index < contents.size; index++) {
    const leaf = recordLeafOf(contents.get(index)!);
    range.append(leaf);
    const checkpoint = checkpoints.get(range.size);
    if (checkpoint === undefined) continue;
    const read = readCheckpoint(checkpoint);
    if ('fault' in read) throw new Error(read.fault);
    expect([read.leavesFrom, read.isSignedBy(publicKey)]).toEqual([leavesFrom, true]);
    expect(read.root).toEqual(range.root());
    leavesFrom = range.size;
  }
  expect(leavesFrom).toBe(contents.size);
});
