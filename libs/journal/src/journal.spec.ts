import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { AuditRecord } from '@warder/contracts';
import type { RawEntry } from '@warder/bus';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exampleIntent, exampleOutcome, exampleRecord } from './example-halves.scene.js';
import { JournalFullError } from './journal-full.js';
import { openJournal, type Journal } from './journal.js';
import type { JournalOptions } from './journal-options.js';

const OUTCOME = JSON.stringify(exampleOutcome);

const recordId = (n: number): string => `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`;
const intentOf = (n: number): string => JSON.stringify({ ...exampleIntent, recordId: recordId(n) });
const recordOf = (n: number): string => JSON.stringify({ ...exampleRecord, recordId: recordId(n) });

describe('a journal', () => {
  let dir: string;
  let published: AuditRecord[];
  const opened: Journal[] = [];
  const log = { debug() {}, info() {}, warn() {}, error() {} };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'warder-journal-'));
    published = [];
  });
  afterEach(async () => {
    for (const journal of opened.splice(0)) await journal.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function take(entries: readonly RawEntry[]): Promise<void> {
    for (const entry of entries) {
      const record = AuditRecord.parse(JSON.parse(entry.value.toString('utf8')));
      expect(entry.key).toBe(record.recordId);
      published.push(record);
    }
  }

  async function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
    const journal = await openJournal({
      dir,
      node: 'ingress-1',
      segmentBytes: 262_144,
      sizeMaxBytes: 8 * 262_144,
      drain: { kind: 'publish', publish: take },
      log,
      clock: { monotonicMs: () => performance.now() },
      closeTimeoutMs: 5_000,
      ...options,
    });
    opened.push(journal);
    return journal;
  }

  const bySequence = (): AuditRecord[] => published.toSorted((a, b) => a.sequence - b.sequence);

  it('publishes each sequence as one record, joined from its halves', async () => {
    const journal = await open();
    const first = journal.openIntent(intentOf(1));
    const second = journal.append(recordOf(2));
    await first.written;
    await journal.closeIntent(first.sequence, OUTCOME);
    expect([first.sequence, await second]).toEqual([1, 2]);
    await journal.close();
    const { log: name, sequence, commitment: _, ...rest } = published.find((record) => record.sequence === 1)!;
    expect(name).toBe(journal.log);
    expect(name).toMatch(/^ingress-1\/[0-9a-z]+$/);
    expect([sequence, rest]).toEqual([1, { index: 1, ...exampleRecord, recordId: recordId(1) }]);
    expect(bySequence().map((record) => record.sequence)).toEqual([1, 2]);
    expect(journal.undelivered()).toBe(0);
  });

  it('goes on with the same log and the next sequence after a restart', async () => {
    const before = await open();
    await before.append(recordOf(1));
    await before.close();
    const after = await open();
    expect(after.log).toBe(before.log);
    expect(await after.append(recordOf(2))).toBe(2);
    await after.close();
    expect(published.map((record) => record.sequence)).toEqual([1, 2]);
  });

  it('records an intent whose process died as unknown', async () => {
    const before = await open();
    await before.openIntent(intentOf(1)).written;
    await before.close();
    expect(published).toEqual([]);
    await (await open()).close();
    expect(published).toEqual([
      {
        ...exampleRecord,
        log: before.log,
        sequence: 1,
        index: 0,
        commitment: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        recordId: recordId(1),
        decision: 'permit',
        outcome: 'unknown',
        refusal: null,
        isError: false,
        findings: [],
        phasesUs: {},
        count: 1,
        personal: { ...exampleRecord.personal, result: null },
      },
    ]);
  });

  it('goes on behind the last whole frame where a write was torn', async () => {
    const before = await open();
    await before.append(recordOf(1));
    await before.append(recordOf(2));
    before.pause();
    await before.close();
    const path = join(dir, before.log, '0000000000.segment');
    const segment = readFileSync(path);
    const end = segment.lastIndexOf('}') + 1;
    segment.fill(0, end - 20, end);
    writeFileSync(path, segment);
    published = [];
    for (const name of ['delivered.0', 'delivered.1']) rmSync(join(dir, before.log, name));
    // Nobody was told that it is on the disk.
    rmSync(join(dir, before.log, 'synced'));
    const after = await open();
    expect(await after.append(recordOf(3))).toBe(2);
    await after.close();
    expect(published.map(({ sequence, recordId: id }) => [sequence, id])).toEqual([
      [1, recordId(1)],
      [2, recordId(3)],
    ]);
  });

  it('refuses the intent when it is full, and never the outcome of one that it took', async () => {
    const journal = await open({ sizeMaxBytes: 2 * 262_144 });
    journal.pause();
    const sequences: number[] = [];
    const fill = (): void => {
      for (;;) sequences.push(journal.openIntent(intentOf(sequences.length)).sequence);
    };
    expect(fill).toThrow(JournalFullError);
    expect(fill).toThrow('the journal is full');
    const appendUntilFull = async (): Promise<never> => {
      for (;;) sequences.push(await journal.append(recordOf(sequences.length)));
    };
    const openOnes = [...sequences];
    await expect(appendUntilFull()).rejects.toThrow(JournalFullError);
    const largest = JSON.stringify({ ...JSON.parse(OUTCOME), result: { bytes: 1, value: 'x'.repeat(40_000) } });
    await Promise.all(openOnes.map((sequence) => journal.closeIntent(sequence, largest)));
    expect(journal.sizeBytes()).toBeLessThanOrEqual(2 * 262_144);
    expect(journal.undelivered()).toBe(sequences.length);

    journal.resume();
    await journal.close();
    expect(bySequence().map((record) => record.sequence)).toEqual(sequences);
  });

  it('has room again once records are acknowledged, and keeps no segment that is delivered', async () => {
    const journal = await open({ sizeMaxBytes: 3 * 262_144 });
    const personal = { ...exampleRecord.personal!, result: { bytes: 1, value: 'x'.repeat(30_000) } };
    const large = JSON.stringify({ ...exampleRecord, personal });
    for (let n = 0; n < 100;) {
      try {
        await journal.append(large);
        n++;
      } catch (error) {
        if (!(error instanceof JournalFullError)) throw error;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await journal.close();
    expect(published.map((record) => record.sequence)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    const left = readdirSync(join(dir, journal.log)).filter((name) => name.endsWith('.segment'));
    expect(left).toHaveLength(1);
  });

  it('sends a batch again until it is acknowledged, and from the watermark after a restart', async () => {
    let refusals = 2;
    const refusing = async (entries: readonly RawEntry[]): Promise<void> => {
      if (refusals-- > 0) throw new Error('the bus is away');
      await take(entries);
    };
    const journal = await open({ drain: { kind: 'publish', publish: refusing } });
    await journal.append(recordOf(1));
    await journal.close();
    expect(published.map((record) => record.sequence)).toEqual([1]);

    const away = await open({
      drain: { kind: 'publish', publish: () => Promise.reject(new Error('the bus is away')) },
      closeTimeoutMs: 1,
    });
    await away.append(recordOf(2));
    await away.close();
    expect(away.undelivered()).toBe(1);
    const back = await open();
    await back.close();
    expect(published.map((record) => record.sequence)).toEqual([1, 2]);
  });

  it('delivers and removes the log of a node that does not come back', async () => {
    const gone = await open({ node: 'ingress-9' });
    gone.pause();
    await gone.append(recordOf(1));
    await gone.openIntent(intentOf(2)).written;
    await gone.close();
    const journal = await open();
    await expect.poll(() => readdirSync(join(dir, 'ingress-9'))).toEqual([]);
    expect(published.map(({ log: name, sequence, outcome }) => [name, sequence, outcome])).toEqual([
      [gone.log, 1, 'success'],
      [gone.log, 2, 'unknown'],
    ]);
    expect(journal.undelivered()).toBe(0);
  });

  it('leaves the log of a living process alone', async () => {
    const first = await open();
    const second = await open();
    expect(second.log).not.toBe(first.log);
    await first.append(recordOf(1));
    await second.append(recordOf(2));
    await second.close();
    await first.close();
    expect(new Set(published.map((record) => record.log))).toEqual(new Set([first.log, second.log]));
  });

  it('ends within its bound while the bus takes a batch and never answers', async () => {
    const silent = await open({
      drain: { kind: 'publish', publish: () => new Promise(() => {}) },
      closeTimeoutMs: 10,
    });
    await silent.append(recordOf(1));
    await silent.close();
    await (await open()).close();
    expect(published.map((record) => record.sequence)).toEqual([1]);
  });

  it('says how old the oldest record is that is not delivered', async () => {
    let nowMs = 0;
    const journal = await open({ clock: { monotonicMs: () => nowMs } });
    journal.pause();
    await journal.append(recordOf(1));
    nowMs = 5_000;
    await journal.append(recordOf(2));
    expect(journal.oldestUndeliveredMs()).toBe(5_000);
    expect(journal.undelivered()).toBe(2);
  });

  it('cuts a result that no message could hold', async () => {
    const journal = await open();
    const { sequence } = journal.openIntent(intentOf(1));
    const result = { bytes: 2_000_002, value: '😀'.repeat(500_000) };
    const huge = JSON.stringify({ ...exampleOutcome, personal: { refusalDetail: null, result } });
    await journal.closeIntent(sequence, huge);
    await journal.close();
    expect(published[0]?.personal?.result).toEqual({
      bytes: 2_000_002,
      head: `"${'😀'.repeat(511)}`,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  it('refuses texts that are no JSON objects, a size that holds nothing and a name that is a path', async () => {
    const journal = await open();
    expect(() => journal.openIntent('[]')).toThrow(RangeError);
    await expect(open({ sizeMaxBytes: 1 })).rejects.toThrow('sizeMaxBytes');
    await expect(open({ node: '../x' })).rejects.toThrow('no name of a node');
  });
});
