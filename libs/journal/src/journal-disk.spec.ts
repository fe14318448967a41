import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { RawEntry } from '@warder/bus';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FailingDisk } from './failing-disk.scene.js';
import { nodeFiles } from './journal-files.js';
import { JournalFullError } from './journal-full.js';
import { type Journal, openJournal } from './journal.js';
import type { JournalOptions } from './journal-options.js';

const OUTCOME = JSON.stringify({ outcome: 'success' });
const intentOf = (n: number, padding = 0): string => JSON.stringify({ n, padding: 'x'.repeat(padding) });
const SEGMENT_BYTES = 262_144;

interface Published {
  readonly sequence: number;
  readonly n?: number;
  readonly outcome?: string;
  readonly refusal?: { code: string } | null;
}

describe('a journal on a disk', () => {
  let dir: string;
  let disk: FailingDisk;
  let published: Published[];
  const opened: Journal[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'warder-journal-disk-'));
    disk = new FailingDisk();
    published = [];
  });
  afterEach(async () => {
    disk.release();
    for (const journal of opened.splice(0)) await journal.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
    const publish = async (entries: readonly RawEntry[]): Promise<void> => {
      for (const { value } of entries) published.push(JSON.parse(value.toString('utf8')) as Published);
    };
    const journal = await openJournal({
      dir: join(dir, 'j'),
      node: 'n',
      segmentBytes: SEGMENT_BYTES,
      sizeMaxBytes: 8 * SEGMENT_BYTES,
      drain: { kind: 'publish', publish },
      log: { debug() {}, info() {}, warn() {}, error() {} },
      clock: { monotonicMs: () => performance.now() },
      files: disk,
      ...options,
    });
    opened.push(journal);
    return journal;
  }

  const told = (): unknown[] =>
    published
      .toSorted((one, other) => one.sequence - other.sequence)
      .map(({ sequence, outcome, refusal }) => [sequence, outcome, refusal?.code]);
  const hasSettled = async (promise: Promise<unknown>): Promise<boolean> => {
    const turn = new Promise((resolve) => setTimeout(resolve, 20, 'later'));
    return (await Promise.race([promise.then(() => 'settled'), turn])) === 'settled';
  };

  it('tells a strict intent and outcome that they are written once they are on the disk, a loose one before', async () => {
    const journal = await open();
    disk.isHolding = true;
    const strict = journal.openIntent(intentOf(1), { strict: true });
    const loose = journal.openIntent(intentOf(2));
    await loose.written;
    expect(await hasSettled(strict.written)).toBe(false);
    disk.release();
    await strict.written;

    disk.isHolding = true;
    await journal.closeIntent(loose.sequence, OUTCOME);
    const closing = journal.closeIntent(strict.sequence, OUTCOME, { strict: true });
    expect(await hasSettled(closing)).toBe(false);
    expect(published).toEqual([]);
    disk.release();
    await closing;
    await journal.close();
    expect(told()).toEqual([
      [1, 'success', undefined],
      [2, 'success', undefined],
    ]);
  });

  it('shares one sync among all that is written while another one is outstanding', async () => {
    const journal = await open();
    disk.isHolding = true;
    const first = journal.append(intentOf(0), { strict: true });
    await expect.poll(() => disk.heldSyncs).toBe(1);
    const others = Array.from({ length: 50 }, async (_, n) => {
      for (let turns = n % 5; turns > 0; turns--) await new Promise(setImmediate);
      return journal.append(intentOf(n), { strict: true });
    });
    expect(await hasSettled(first)).toBe(false);
    expect(disk.heldSyncs).toBe(1);
    const before = disk.synced.length;
    disk.release();
    await Promise.all([first, ...others]);
    // The first one's (its file, and the directory for the new name), and one for the fifty.
    expect(disk.synced.length - before).toBeLessThanOrEqual(3);
  });

  it('publishes nothing that is not on the disk', async () => {
    const journal = await open();
    disk.isHolding = true;
    await journal.append(intentOf(1));
    await expect.poll(() => disk.heldSyncs).toBe(1);
    expect(await hasSettled(expect.poll(() => published.length, { timeout: 300 }).toBe(1))).toBe(false);
    disk.release();
    await expect.poll(() => published.length).toBe(1);
  });

  it('writes what a failed sync held again, to a new file, and asks the failed one for nothing more', async () => {
    const journal = await open();
    const running = journal.openIntent(intentOf(1));
    await running.written;
    await expect.poll(() => disk.synced.length).toBeGreaterThan(0);
    disk.synced.length = 0;
    disk.syncErrors.push('EIO');
    const loose = journal.openIntent(intentOf(2));
    await loose.written;
    const strict = journal.openIntent(intentOf(3), { strict: true });
    const closing = journal.closeIntent(running.sequence, OUTCOME, { strict: true });
    await expect(strict.written).rejects.toThrow(JournalFullError);
    expect(() => journal.openIntent(intentOf(4))).toThrow('waits for its disk');
    await closing;
    const failed = -disk.synced.find((fd) => fd < 0)!;
    expect(disk.synced.slice(disk.synced.indexOf(-failed) + 1)).not.toContain(failed);
    await journal.closeIntent(loose.sequence, OUTCOME);
    expect(await journal.append(intentOf(5))).toBe(4);
    await journal.close();
    expect(told()).toEqual([
      [1, 'success', undefined],
      [2, 'success', undefined],
      [3, 'failure', 'WDR_AUDIT_UNAVAILABLE'],
      [4, undefined, undefined],
    ]);
    expect(published).toHaveLength(4);
  });

  it('delivers each record once where syncs fail again and again, across the ends of segments', async () => {
    const journal = await open({ sizeMaxBytes: 64 * SEGMENT_BYTES });
    const taken: number[] = [];
    for (let n = 0; taken.length < 200;) {
      try {
        const { sequence, written } = journal.openIntent(intentOf(n, 20_000), { strict: n % 3 === 0 });
        n++;
        if (n % 25 === 0) disk.syncErrors.push('EIO', 'EIO');
        if (n % 60 === 0) disk.writeErrors.push('EIO');
        await written;
        taken.push(sequence);
        await journal.closeIntent(sequence, OUTCOME);
      } catch (error) {
        if (!(error instanceof JournalFullError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    await journal.close();
    const sequences = published.map(({ sequence }) => sequence).sort((one, other) => one - other);
    expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, n) => n + 1));
    for (const { sequence, outcome } of published) {
      expect([sequence, outcome]).toEqual([sequence, taken.includes(sequence) ? 'success' : 'failure']);
    }
    expect(disk.synced.filter((fd) => fd < 0).length).toBeGreaterThan(10);
  });

  it('refuses what a failed write held, and closes what was open when the disk works again', async () => {
    const journal = await open();
    const running = journal.openIntent(intentOf(1));
    await running.written;
    disk.writeErrors.push('EIO', 'EIO');
    const refused = journal.openIntent(intentOf(2));
    const closing = journal.closeIntent(running.sequence, OUTCOME);
    await expect(refused.written).rejects.toThrow(JournalFullError);
    expect(() => journal.openIntent(intentOf(3))).toThrow(JournalFullError);
    await closing;
    await journal.close();
    expect(told()).toEqual([
      [1, 'success', undefined],
      [2, 'failure', 'WDR_AUDIT_UNAVAILABLE'],
    ]);
  });

  it('writes whole frames to a disk that takes seven bytes at a time', async () => {
    const journal = await open();
    disk.takesBytes = 7;
    const { sequence } = journal.openIntent(intentOf(1, 500));
    await journal.closeIntent(sequence, OUTCOME);
    await journal.close();
    expect(told()).toEqual([[1, 'success', undefined]]);
  });

  it('makes the next segment of a delivered one, in which no frame of its former life is read', async () => {
    const journal = await open({ files: nodeFiles });
    const own = join(dir, 'j', journal.log);
    const inodes = new Set<number>();
    for (let n = 0; n < 200; n++) {
      await journal.append(intentOf(n, 30_000));
      for (const name of readdirSync(own)) if (name.endsWith('.segment')) inodes.add(inodeOf(join(own, name)));
      await expect.poll(() => journal.undelivered(), { interval: 1 }).toBeLessThan(12);
    }
    expect(readdirSync(own).filter((name) => name.endsWith('.used')).length).toBeLessThanOrEqual(2);
    await journal.close();
    // Two dozen segments were filled.
    expect(inodes.size).toBeLessThan(14);
    const again = await open({ files: nodeFiles });
    await again.append(intentOf(200));
    await again.close();
    expect(published.map(({ sequence, n }) => [sequence, n])).toEqual(
      Array.from({ length: 201 }, (_, n) => [n + 1, n]),
    );
  });

  describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)('of 1 MiB that is really full', () => {
    beforeEach(() => {
      mkdirSync(join(dir, 'j'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', join(dir, 'j')]);
    });
    afterEach(() => void execFileSync('umount', [join(dir, 'j')]));

    it('refuses the next record with the reason, and never the outcome of one that it took', async () => {
      const journal = await open({ files: nodeFiles, sizeMaxBytes: 64 * SEGMENT_BYTES, isPaused: true });
      const open_: number[] = [];
      const fill = (): never => {
        for (;;) open_.push(journal.openIntent(intentOf(open_.length, 2_000)).sequence);
      };
      expect(fill).toThrow('the disk has no room for the journal');
      expect(open_.length).toBeGreaterThan(5);
      const largest = JSON.stringify({ outcome: 'success', padding: 'x'.repeat(40_000) });
      await Promise.all(open_.map((sequence) => journal.closeIntent(sequence, largest, { strict: true })));
      const closed = open_.length;
      expect(fill).toThrow(JournalFullError);
      journal.resume();
      await journal.close();
      expect(published.filter(({ outcome }) => outcome === 'success')).toHaveLength(closed);
      opened.length = 0;
    });
  });
});

function inodeOf(path: string): number {
  try {
    return statSync(path).ino;
  } catch {
    return 0;
  }
}
