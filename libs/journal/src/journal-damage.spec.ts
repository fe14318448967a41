import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { RawEntry } from '@warder/bus';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameKind, readFrame } from './frame.js';
import { type Journal, openJournal } from './journal.js';
import { SEGMENT_HEADER_BYTES } from './segment-file.js';

const ROUNDS = 40;
const SEGMENT_BYTES = 262_144;
const OUTCOME = JSON.stringify({ outcome: 'success', result: 'o'.repeat(300) });

interface Published {
  readonly sequence: number;
  readonly kind?: string;
  readonly n?: number;
  readonly text?: string;
  readonly outcome?: string;
  readonly personal?: { arguments: { value: { lostFrom: number; lostTo: number; count: number; bytes: number } } };
}
/** A frame as it was before anything was damaged. */
interface Written {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly kind: FrameKind;
  readonly sequence: number;
}
type Random = (below: number) => number;

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe('a damaged journal', () => {
  let dir: string;
  let published: Published[];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'warder-journal-damage-'));
    published = [];
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const open = (isPaused = false): Promise<Journal> =>
    openJournal({
      isPaused,
      dir,
      node: 'n',
      segmentBytes: SEGMENT_BYTES,
      sizeMaxBytes: 64 * SEGMENT_BYTES,
      drain: {
        kind: 'publish',
        async publish(entries: readonly RawEntry[]) {
          for (const { value } of entries) published.push(JSON.parse(value.toString('utf8')) as Published);
        },
      },
      log: { debug() {}, info() {}, warn() {}, error() {} },
      clock: { monotonicMs: () => performance.now() },
    });

  const segmentsOf = (log: string): string[] =>
    readdirSync(join(dir, log))
      .filter((name) => name.endsWith('.segment'))
      .sort();

  const gaps = (): { lostFrom: number; lostTo: number; count: number; bytes: number }[] =>
    published.filter(({ kind }) => kind === 'gap').map(({ personal }) => personal!.arguments.value);

  function framesOf(log: string): Written[] {
    return segmentsOf(log).flatMap((name) => {
      const bytes = readFileSync(join(dir, log, name));
      const frames: Written[] = [];
      for (let from = SEGMENT_HEADER_BYTES; ;) {
        const frame = readFrame(bytes, from, Number.parseInt(name, 10));
        if (frame === undefined) return frames;
        frames.push({ name, from, to: frame.end, kind: frame.kind, sequence: frame.sequence });
        from = frame.end;
      }
    });
  }

  /** Some delivered, the rest over several segments: whole records, calls, and calls that never ended. */
  async function writtenLog(random: Random): Promise<{ log: string; texts: Map<number, string>; next: number }> {
    const journal = await open();
    const texts = new Map<number, string>();
    const act = (isOpen: boolean): void => {
      const text = `${texts.size} ${'{"t":1}'.repeat(random(700))}`;
      const json = JSON.stringify({ n: texts.size, text });
      if (random(3) === 0) {
        texts.set(texts.size + 1, text);
        void journal.append(json);
        return;
      }
      const { sequence } = journal.openIntent(json);
      texts.set(sequence, text);
      if (!isOpen) void journal.closeIntent(sequence, OUTCOME);
    };
    for (let n = random(60); n > 0; n--) act(false);
    await expect.poll(() => journal.undelivered(), { interval: 2 }).toBe(0);
    journal.pause();
    for (let n = 120 + random(200); n > 0; n--) {
      act(random(10) === 0);
      if (random(4) === 0) await new Promise(setImmediate);
    }
    await journal.close();
    return { log: journal.log, texts, next: texts.size + 1 };
  }

  /** Damages the files in one to three ways. @returns the bytes of each that are not what they were; and what was done */
  function damage(log: string, random: Random): { isWhole: (frame: Written) => boolean; done: string[] } {
    const touched: { name: string; from: number; to: number }[] = [];
    const done: string[] = [];
    let isSwapped = false;
    const pick = (): string => segmentsOf(log)[random(segmentsOf(log).length)]!;
    for (let ways = 1 + random(3); ways > 0 && segmentsOf(log).length > 0; ways--) {
      const name = pick();
      const path = join(dir, log, name);
      const bytes = readFileSync(path);
      const way = ['flip', 'zero', 'truncate', 'remove', 'swap', 'header'][random(6)]!;
      // Which file a header and a name disagree about is told by nothing but the header.
      if (isSwapped && way !== 'swap') continue;
      done.push(`${way} ${name}`);
      if (way === 'flip') {
        for (let flips = 1 + random(5); flips > 0; flips--) {
          const at = SEGMENT_HEADER_BYTES + random(bytes.length - SEGMENT_HEADER_BYTES);
          bytes[at]! ^= 1 << random(8);
          touched.push({ name, from: at, to: at + 1 });
        }
        writeFileSync(path, bytes);
      } else if (way === 'zero') {
        const from = SEGMENT_HEADER_BYTES + random(bytes.length - SEGMENT_HEADER_BYTES);
        const to = Math.min(bytes.length, from + 1 + random(60_000));
        writeFileSync(path, bytes.fill(0, from, to));
        touched.push({ name, from, to });
      } else if (way === 'truncate') {
        const at = random(bytes.length);
        truncateSync(path, at);
        touched.push({ name, from: at, to: Infinity });
      } else if (way === 'header') {
        writeFileSync(path, bytes.fill(0xaa, 0, SEGMENT_HEADER_BYTES));
      } else if (way === 'remove') {
        rmSync(path);
        touched.push({ name, from: 0, to: Infinity });
      } else if (done.every((each) => each.startsWith('swap'))) {
        isSwapped = true;
        const other = pick();
        renameSync(path, join(dir, 'x'));
        if (other !== name) renameSync(join(dir, log, other), path);
        renameSync(join(dir, 'x'), join(dir, log, other));
      }
    }
    const isWhole = ({ name, from, to }: Written): boolean =>
      !touched.some((range) => range.name === name && range.from < to && from < range.to);
    return { isWhole, done };
  }

  const first = Number(process.env['WARDER_SEED'] ?? randomInt(1 << 30));
  it(`delivers every whole record unaltered and tells every missing number, seeds from ${first}`, async () => {
    for (let seed = first; seed < first + ROUNDS; seed++) {
      published = [];
      const random = randomOf(seed);
      const { log, texts, next } = await writtenLog(random);
      const delivered = new Set(published.map(({ sequence }) => sequence));
      const frames = framesOf(log);
      const { isWhole, done } = damage(log, random);
      const say = `seed ${seed}: ${done.join(', ')}`;

      const again = await open();
      const added = await again.append(JSON.stringify({ n: -1, text: '' }));
      await again.close();
      expect(again.undelivered(), `${say}`).toBe(0);
      expect(added >= next, `${say}`).toBe(true);
      const found = new Map(published.map((record) => [record.sequence, record]));
      for (const { sequence, text } of published.filter((each) => each.kind !== 'gap' && each.sequence !== added)) {
        expect(text, `${say}: altered ${sequence}`).toBe(texts.get(sequence));
      }
      const closed = new Set(
        frames.filter((frame) => frame.kind === FrameKind.outcome && isWhole(frame)).map(({ sequence }) => sequence),
      );
      const begun = frames.filter((each) => each.kind !== FrameKind.outcome && isWhole(each));
      for (const { sequence } of begun) expect(found.has(sequence), `${say}: ${sequence} was whole`).toBe(true);
      const calls = begun.filter((each) => each.kind === FrameKind.intent && !delivered.has(each.sequence));
      for (const { sequence } of calls) {
        const outcome = closed.has(sequence) ? 'success' : 'unknown';
        expect(found.get(sequence)?.outcome, `${say}: ${sequence}`).toBe(outcome);
      }
      for (let sequence = 1; sequence < added; sequence++) {
        const isTold = gaps().some(({ lostFrom, lostTo }) => lostFrom <= sequence && sequence <= lostTo);
        expect(found.has(sequence) || isTold, `${say}: nothing tells of ${sequence}`).toBe(true);
      }
      rmSync(join(dir, 'n'), { recursive: true, force: true });
    }
  }, 180_000);

  it('tells a gap once, with the numbers, the count and the bytes, and counts the bytes', async () => {
    const journal = await open(true);
    for (let n = 0; n < 5; n++) await journal.append(JSON.stringify({ n, text: 'x'.repeat(100) }));
    await journal.close();
    const frames = framesOf(journal.log);
    const path = join(dir, journal.log, frames[0]!.name);
    const bytes = readFileSync(path);
    bytes[frames[1]!.from + 30]! ^= 1;
    bytes[frames[4]!.to - 1]! ^= 1;
    writeFileSync(path, bytes);
    const damaged = frames[1]!.to - frames[1]!.from + frames[4]!.to - frames[4]!.from;
    await (await open(true)).close();
    const again = await open();
    expect(again.damagedBytes()).toBeGreaterThanOrEqual(damaged);
    await again.close();
    expect(published.map(({ sequence, n }) => [sequence, n])).toEqual([
      [1, 0],
      [3, 2],
      [4, 3],
      [6, undefined],
      [7, undefined],
    ]);
    expect(gaps()).toEqual([
      { lostFrom: 2, lostTo: 2, count: 1, bytes: damaged },
      { lostFrom: 5, lostTo: 5, count: 1, bytes: 0 },
    ]);
  });

  it('reads on behind what is damaged while it runs, and tells of it', async () => {
    const journal = await open(true);
    for (let n = 0; n < 5; n++) await journal.append(JSON.stringify({ n, text: 'x' }), { strict: true });
    const [, second] = framesOf(journal.log);
    const path = join(dir, journal.log, second!.name);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, second!.from, second!.to));
    journal.resume();
    await expect.poll(() => published.map(({ n }) => n), { timeout: 10_000 }).toEqual([0, 2, 3, 4, undefined]);
    expect(gaps()).toEqual([{ lostFrom: 2, lostTo: 2, count: 1, bytes: second!.to - second!.from }]);
    expect(journal.damagedBytes()).toBe(second!.to - second!.from);
    await journal.close();
  });
});
