import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RawEntry } from '@warder/bus';
import { AuditCheckpoint, CHECKPOINT_LEAVES_MAX } from '@warder/contracts';
import { CompactRange, readCheckpoint, recordLeafOf } from '@warder/merkle-log';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { exampleIntent, exampleOutcome, exampleRecord } from './example-halves.scene.js';
import { openJournal, type Journal } from './journal.js';
import type { JournalOptions } from './journal-options.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const SLOTS = ['delivered.0', 'delivered.1'] as const;
const recordId = (n: number): string => `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`;
const intentOf = (n: number): string => JSON.stringify({ ...exampleIntent, recordId: recordId(n) });
const recordOf = (n: number): string => JSON.stringify({ ...exampleRecord, recordId: recordId(n) });

describe('the tree of a journal', () => {
  let dir: string;
  let records: Buffer[];
  let checkpoints: AuditCheckpoint[];
  let isTaking: boolean;
  let nowMs: number;
  const opened: Journal[] = [];
  const errors: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (_: object, message: string) => void errors.push(message) };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'warder-journal-tree-'));
    [records, checkpoints, isTaking, nowMs] = [[], [], true, 0];
    errors.length = 0;
  });
  afterEach(async () => {
    for (const journal of opened.splice(0)) await journal.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
    const journal = await openJournal({
      dir,
      node: 'n1',
      segmentBytes: 262_144,
      sizeMaxBytes: 8 * 262_144,
      drain: {
        kind: 'publish',
        publish: async (entries) => void records.push(...entries.map(({ value }) => value)),
        async publishCheckpoint({ key, value }: RawEntry): Promise<void> {
          const checkpoint = AuditCheckpoint.parse(JSON.parse(value.toString()));
          expect(key).toBe(`${checkpoint.origin}/${checkpoint.size}`);
          checkpoints.push(checkpoint);
          if (!isTaking) throw new Error('the broker is away');
        },
      },
      checkpoints: { privateKey, everyMs: 10_000 },
      log,
      clock: { monotonicMs: () => nowMs, wallMs: () => 1_790_000_000_000 + nowMs },
      ...options,
    });
    opened.push(journal);
    return journal;
  }

  const places = (): unknown[] =>
    records.map((value) => {
      const { index, recordId: id } = JSON.parse(value.toString()) as { index?: number; recordId: string };
      return [index, Number(id.slice(-12))];
    });
  const ranges = (): unknown[] => checkpoints.map(({ leavesFrom, size }) => [leavesFrom, size]);

  /** That the newest checkpoint is signed and is of these records. */
  function expectProved(): void {
    const read = readCheckpoint(checkpoints.at(-1)!);
    if ('fault' in read) throw new Error(read.fault);
    expect(read.isSignedBy(publicKey)).toBe(true);
    const range = new CompactRange();
    const byIndex = new Map(records.map((value) => [(JSON.parse(value.toString()) as { index: number }).index, value]));
    for (let index = 0; index < byIndex.size; index++) range.append(recordLeafOf(byIndex.get(index)!));
    expect([read.size, read.root]).toEqual([range.size, range.root()]);
  }

  it('gives indexes in the order in which records become whole, and signs what it has at the end', async () => {
    const journal = await open();
    const first = journal.openIntent(intentOf(1));
    await first.written;
    await journal.append(recordOf(2));
    await journal.closeIntent(first.sequence, JSON.stringify(exampleOutcome));
    await journal.append(recordOf(3));
    await journal.close();
    expect(places()).toEqual([
      [0, 2],
      [1, 1],
      [2, 3],
    ]);
    expect(ranges()).toEqual([[0, 3]]);
    expectProved();
  });

  it('publishes a checkpoint in its interval where there is something new, and none where there is not', async () => {
    const journal = await open();
    await journal.append(recordOf(1));
    await vi.waitFor(() => expect(journal.undelivered()).toBe(0));
    expect(checkpoints).toEqual([]);
    nowMs = 10_000;
    await journal.append(recordOf(2));
    await vi.waitFor(() => expect(ranges()).toEqual([[0, 1]]));
    nowMs = 20_000;
    await journal.append(recordOf(3));
    await vi.waitFor(() => expect(journal.undelivered()).toBe(0));
    await journal.close();
    await (await open()).close();
    expect(checkpoints.at(-1)?.size).toBe(3);
    expectProved();
  });

  it('signs an idle log in its interval though a timer fires before the clock says that it is time', async () => {
    const slow = { monotonicMs: () => performance.now() * 0.8, wallMs: () => 1_790_000_000_000 };
    const journal = await open({ clock: slow, checkpoints: { privateKey, everyMs: 200 } });
    await journal.append(recordOf(1));
    await vi.waitFor(() => expect(ranges()).toEqual([[0, 1]]), { timeout: 10_000 });
    expectProved();
  });

  it('neither sends nor counts again what was acknowledged around an intent that stayed open', async () => {
    const before = await open();
    const { written } = before.openIntent(intentOf(1));
    await written;
    for (const n of [2, 3]) await before.append(recordOf(n));
    await before.close();
    const after = await open();
    await after.append(recordOf(4));
    await after.close();
    expect(after.undelivered()).toBe(0);
    expect(places()).toEqual([
      [0, 2],
      [1, 3],
      [2, 1],
      [3, 4],
    ]);
    expect(ranges()).toEqual([
      [0, 2],
      [2, 4],
    ]);
    expectProved();
  });

  it('sends a checkpoint that may have arrived again as it was, whatever came after it', async () => {
    const before = await open();
    await before.append(recordOf(1));
    isTaking = false;
    await before.close();
    isTaking = true;
    nowMs = 777;
    const after = await open();
    await after.append(recordOf(2));
    await after.close();
    expect(checkpoints[1]).toEqual(checkpoints[0]);
    expect(ranges()).toEqual([
      [0, 1],
      [0, 1],
      [1, 2],
    ]);
    expectProved();
  });

  it('goes on publishing records while no checkpoint arrives', async () => {
    isTaking = false;
    const journal = await open();
    await journal.append(recordOf(1));
    await vi.waitFor(() => expect(journal.undelivered()).toBe(0));
    nowMs = 10_000;
    await journal.append(recordOf(2));
    nowMs = 20_000;
    await journal.append(recordOf(3));
    await vi.waitFor(() => expect(journal.undelivered()).toBe(0));
    expect(checkpoints.length).toBeGreaterThan(0);
    isTaking = true;
    await journal.close();
    expect(checkpoints.at(-1)?.note).toBe(checkpoints[0]!.note);
  });

  it('publishes more records than a checkpoint names while none arrives, and signs each of them when they do', async () => {
    isTaking = false;
    const total = CHECKPOINT_LEAVES_MAX + 3_000;
    const dead = await open({ node: 'dead', sizeMaxBytes: 512 * 262_144 });
    const sealed = (): string[] => readdirSync(join(dir, dead.log)).filter((name) => name.endsWith('.checkpoint'));
    await dead.append(recordOf(1));
    nowMs = 10_000;
    await dead.append(recordOf(2));
    // One is on its way now, which names one record or two and stays as it is.
    await vi.waitFor(() => expect(checkpoints.length).toBeGreaterThan(0), { timeout: 60_000 });
    for (let n = 3; n <= total;) {
      const texts = Array.from({ length: Math.min(500, total - n + 1) }, (_, at) => recordOf(n + at));
      n += texts.length;
      await Promise.all(texts.map((text) => dead.append(text)));
      // A disk that is behind refuses records, and this test is not about disks.
      await vi.waitFor(() => expect(dead.undelivered()).toBe(0), { timeout: 60_000, interval: 5 });
    }
    expect(places().length).toBe(total);
    await dead.close();
    expect(sealed().length).toBe(2);

    const journal = await open();
    expect(existsSync(join(dir, dead.log))).toBe(true);
    checkpoints = [];
    isTaking = true;
    nowMs = 20_000;
    journal.resume();
    await vi.waitFor(() => expect(existsSync(join(dir, dead.log))).toBe(false), { timeout: 60_000 });
    expect(checkpoints.map(({ leavesFrom }) => leavesFrom)).toEqual([
      0,
      ...checkpoints.slice(0, -1).map(({ size }) => size),
    ]);
    expect(checkpoints.at(-1)).toMatchObject({ origin: dead.log, size: total });
    expectProved();
  }, 180_000);

  it('sends the same bytes under the same indexes again where the newest state is torn', async () => {
    const before = await open();
    await before.append(recordOf(1));
    await before.close();
    const again = await open();
    await again.append(recordOf(2));
    await vi.waitFor(() => expect(again.undelivered()).toBe(0));
    isTaking = false;
    await again.close();
    isTaking = true;
    // The state that says that the second record is acknowledged is the newer one of the two.
    const newest = SLOTS.map((name) => join(dir, before.log, name)).sort(
      (one, other) => generationOf(other) - generationOf(one),
    )[0]!;
    const torn = readFileSync(newest);
    torn.fill(0, torn.length - 40);
    writeFileSync(newest, torn);
    const sent = records.length;
    await (await open()).close();
    expect(records.slice(sent)).toEqual(records.slice(sent - 1, sent));
    expectProved();
  });

  it('removes an adopted log only when its last record stands in a checkpoint', async () => {
    isTaking = false;
    const dead = await open({ node: 'dead' });
    await dead.append(recordOf(1));
    await vi.waitFor(() => expect(dead.undelivered()).toBe(0));
    await dead.close();
    const journal = await open();
    await vi.waitFor(() => expect(checkpoints.length).toBeGreaterThan(1));
    expect(existsSync(join(dir, dead.log))).toBe(true);
    isTaking = true;
    nowMs = 20_000;
    journal.resume();
    await vi.waitFor(() => expect(existsSync(join(dir, dead.log))).toBe(false), { timeout: 5_000 });
    expect(checkpoints.at(-1)).toMatchObject({ origin: dead.log, size: 1 });
    expectProved();
  });

  it('loses no record with the state of its tree, and gives none a place that another one has', async () => {
    const before = await open();
    const large = JSON.stringify({ ...exampleRecord, padding: 'x'.repeat(120_000) });
    for (let n = 0; n < 6; n++) await before.append(large);
    await vi.waitFor(() => expect(before.undelivered()).toBe(0));
    await before.close();
    for (const name of SLOTS) rmSync(join(dir, before.log, name));
    records = [];
    const after = await open();
    await after.append(recordOf(7));
    await after.close();
    expect(places().at(-1)).toEqual([undefined, 7]);
    expect(errors).toContain('the state of the log is lost: its records have no place in a tree');
  });
});

function generationOf(path: string): number {
  return Number(/"generation":(\d+)/.exec(readFileSync(path, 'latin1'))?.[1] ?? 0);
}
