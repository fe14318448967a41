import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { AuditRecord } from '@warder/contracts';
import { type Journal, JournalFullError, openJournal, type WriteOptions } from '@warder/journal';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DroppingJournal } from './dropping-journal.js';

const SEGMENT_BYTES = 262_144;
const RECORD = JSON.stringify({
  refusal: { code: 'WDR_TOOL_UNKNOWN' },
  outcome: 'failure',
  padding: 'x'.repeat(5_000),
});
const INTENT = JSON.stringify({ padding: 'x'.repeat(5_000) });
const OUTCOME = JSON.stringify({ refusal: null, outcome: 'success' });

let dir: string;
let journal: Journal;
let nowMs: number;
let dropped: number;
let published: string[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'warder-dropping-'));
  nowMs = 1_790_000_000_000;
  dropped = 0;
  published = [];
  journal = await openJournal({
    dir,
    node: 'ingress-1',
    segmentBytes: SEGMENT_BYTES,
    sizeMaxBytes: 2 * SEGMENT_BYTES,
    refusalsMaxBytes: 65_536,
    isPaused: true,
    drain: {
      kind: 'publish',
      async publish(entries) {
        published.push(...entries.map(({ value }) => value.toString('utf8')));
      },
    },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    clock: { monotonicMs: () => performance.now() },
  });
});
afterEach(async () => {
  await journal.close();
  rmSync(dir, { recursive: true, force: true });
});

const droppingJournal = (dropsWhenFull: boolean): DroppingJournal =>
  new DroppingJournal({
    node: 'ingress-1',
    journal,
    dropsWhenFull,
    wallMs: () => nowMs,
    onDropped: (count) => (dropped += count),
  });

/** Appends until the journal takes no more of it. @returns how many it took, and what it said at last */
async function fillWith(record: string, how: WriteOptions = {}): Promise<{ count: number; error: unknown }> {
  for (let count = 0; ; count++) {
    try {
      await journal.append(record, how);
    } catch (error) {
      return { count, error };
    }
  }
}

/** Leaves no room for the smallest record. @returns how many it took */
async function fill(): Promise<number> {
  const large = await fillWith(RECORD);
  const small = await fillWith('{"x":1}');
  return large.count + small.count;
}

it('lets calls go on unrecorded while the journal is full, and tells how many, when and how they ended', async () => {
  const writer = droppingJournal(true);
  const count = await fill();
  const { sequence, written } = writer.openIntent(INTENT);
  await written;
  await writer.closeIntent(sequence, OUTCOME);
  nowMs += 60_000;
  await writer.append(RECORD);
  await writer.append(RECORD);
  expect(dropped).toBe(3);
  expect(await writer.tell()).toBe(3);

  journal.resume();
  await expect.poll(() => journal.undelivered(), { timeout: 10_000 }).toBe(0);
  expect(await writer.tell()).toBe(0);
  expect(await writer.tell()).toBe(0);
  await journal.close();
  expect(published).toHaveLength(count + 1);
  const gap = AuditRecord.parse(JSON.parse(published.at(-1)!));
  expect([gap.kind, gap.count, gap.personal?.arguments]).toEqual([
    'gap',
    3,
    {
      bytes: 98,
      value: {
        count: 3,
        fromMs: 1_790_000_000_000,
        toMs: 1_790_000_060_000,
        codes: { success: 1, WDR_TOOL_UNKNOWN: 2 },
      },
    },
  ]);
});

it('refuses strict calls in any case, and all of them unless the operator chose otherwise', async () => {
  await fill();
  expect(() => droppingJournal(true).openIntent(INTENT, { strict: true })).toThrow(JournalFullError);
  await expect(droppingJournal(true).append(RECORD, { strict: true })).rejects.toThrow(JournalFullError);
  expect(() => droppingJournal(false).openIntent(INTENT)).toThrow(JournalFullError);
  await expect(droppingJournal(false).append(RECORD)).rejects.toThrow(JournalFullError);
  expect(dropped).toBe(0);
});

it('keeps the room of calls from refusals of strangers, and gives theirs back when they are delivered', async () => {
  const flood = () => fillWith(RECORD, { isOfStranger: true });
  const first = await flood();
  expect([first.count, first.error]).toEqual([12, expect.any(JournalFullError)]);
  await journal.append(RECORD);
  journal.resume();
  await expect.poll(() => journal.undelivered(), { timeout: 10_000 }).toBe(0);
  journal.pause();
  expect((await flood()).count).toBe(12);
});
