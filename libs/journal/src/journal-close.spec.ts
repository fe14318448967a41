import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { RawEntry } from '@warder/bus';
import type { AuditRecord } from '@warder/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { exampleIntent, exampleOutcome, exampleRecord } from './example-halves.scene.js';
import { JournalFullError } from './journal-full.js';
import { openJournal, type Journal } from './journal.js';

const INTENT = JSON.stringify(exampleIntent);
const OUTCOME = JSON.stringify(exampleOutcome);

describe('the end of a journal', () => {
  let dir: string;
  let published: AuditRecord[];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'warder-journal-close-'));
    published = [];
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(dir, { recursive: true, force: true });
  });

  const take = async (entries: readonly RawEntry[]): Promise<void> => {
    for (const { value } of entries) published.push(JSON.parse(value.toString('utf8')) as AuditRecord);
  };
  const open = (publish = take, isPaused = false): Promise<Journal> =>
    openJournal({
      isPaused,
      dir,
      node: 'ingress-1',
      segmentBytes: 262_144,
      sizeMaxBytes: 8 * 262_144,
      drain: { kind: 'publish', publish },
      log: { debug() {}, info() {}, warn() {}, error() {} },
      clock: { monotonicMs: () => performance.now() },
      closeTimeoutMs: 5_000,
    });

  it('still takes the outcome of a call that ends while it waits, and nothing new', async () => {
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => (answer = resolve));
    const journal = await open(async (entries) => {
      await asked;
      await take(entries);
    });
    await journal.append(JSON.stringify(exampleRecord));
    const { sequence, written } = journal.openIntent(INTENT);
    await written;
    const closing = journal.close();
    expect(() => journal.openIntent(INTENT)).toThrow(JournalFullError);
    await journal.closeIntent(sequence, OUTCOME);
    answer();
    await closing;
    await (await open()).close();
    expect(new Set(published.map((record) => `${record.sequence} ${record.outcome}`))).toEqual(
      new Set(['1 success', '2 success']),
    );
  });

  it('writes nothing behind it: the log may be another process’s', async () => {
    const journal = await open();
    const { sequence, written } = journal.openIntent(INTENT);
    await written;
    await journal.close();
    await expect(journal.closeIntent(sequence, OUTCOME)).rejects.toThrow(JournalFullError);
    await (await open()).close();
    expect(published.map((record) => [record.sequence, record.outcome])).toEqual([[1, 'unknown']]);
  });

  it('comes when another process took the log over: what it would record is refused', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const journal = await open();
    const { sequence, written } = journal.openIntent(INTENT);
    await written;
    const log = join(dir, journal.log);
    const owner = readdirSync(log).find((name) => name.startsWith('owner-'))!;
    renameSync(join(log, owner), join(log, 'owner-2'));
    writeFileSync(join(log, 'owner-2'), JSON.stringify({ pid: 1, startedAt: '', scope: 'another machine' }));
    vi.advanceTimersByTime(5_000);
    expect(() => journal.openIntent(INTENT)).toThrow(JournalFullError);
    await expect(journal.closeIntent(sequence, OUTCOME)).rejects.toThrow(JournalFullError);
    vi.useRealTimers();
    await journal.close();
    expect(readdirSync(log).filter((name) => name.startsWith('owner-'))).toEqual(['owner-2']);
  });

  it('publishes nothing of what an earlier process left where it begins paused', async () => {
    const first = await open(take, true);
    await first.append(JSON.stringify(exampleRecord));
    await first.close();
    await (await open(take, true)).close();
    expect(published).toEqual([]);
    await (await open()).close();
    expect(published).toHaveLength(1);
  });
});
