import { readFileSync } from 'node:fs';
import { findFrame, type Frame, FrameKind, isBeginning, readFrame } from './frame.js';
import { lostRangesOf, type LostRange } from './gap-record.js';
import { offsetOf, type Position, positionOf, segmentOf } from './position.js';
import { restoreNames } from './restore-names.js';
import { endOfSegment, headerOf, SEGMENT_HEADER_BYTES, segmentNumbers, segmentPath } from './segment-file.js';
import { readSyncedNote, type Synced } from './synced-note.js';

/** What stands in a log that an earlier process left. */
export interface Recovered {
  /** Behind the last whole frame. */
  readonly end: Position;
  /** Whether the last segment can be written on; if not, the log goes on in a new one. */
  readonly canResume: boolean;
  /** Above the numbers of all segments that there are or were. */
  readonly nextNumber: number;
  /** Every record below it was acknowledged. */
  readonly firstSequence: number;
  readonly nextSequence: number;
  /** Intents behind the watermark without an outcome. */
  readonly orphans: readonly number[];
  /** Records behind the watermark that are not known to be acknowledged. */
  readonly undelivered: number;
  /** Sequence numbers whose beginning is nowhere and of which no gap record tells yet. */
  readonly lost: readonly LostRange[];
  /** Bytes behind the watermark that should be frames and are not. */
  readonly damagedBytes: number;
  /** Files that had another segment's name. */
  readonly misplaced: number;
}

interface Scan {
  readonly watermark: Position;
  readonly counted: Position;
  readonly note: Synced | undefined;
  readonly found: Found;
}

/** What one pass over the segments finds. */
interface Found {
  readonly begun: Set<number>;
  /** Of these, records that were acknowledged. */
  acknowledged: number;
  readonly orphans: Set<number>;
  readonly told: LostRange[];
  /** The first sequence that may stand behind the watermark. */
  firstSequence: number;
  nextSequence: number;
  damagedBytes: number;
  end: Position;
}

/**
 * Reads a log from the watermark on. What is no frame is passed over to the next whole one; what the log must have held
 * and is not found is said.
 * @param counted - records that became whole before it were acknowledged
 * @returns `undefined` for a log without a segment, of which none was ever on the disk
 * @throws the disk's error
 */
export function recoverLog(dir: string, watermark: Position, counted = watermark): Recovered | undefined {
  const misplaced = restoreNames(dir);
  const numbers = segmentNumbers(dir);
  const note = readSyncedNote(dir);
  if (numbers.length === 0 && note === undefined) return undefined;
  const found: Found = {
    begun: new Set(),
    acknowledged: 0,
    orphans: new Set(),
    told: [],
    firstSequence: Math.max(1, note?.deliveredBelow ?? 1),
    nextSequence: note?.nextSequence ?? 1,
    damagedBytes: 0,
    end: note?.end ?? 0,
  };
  const last = numbers.at(-1) ?? -1;
  for (const [index, number] of numbers.entries()) {
    if (number < segmentOf(watermark) && number !== last) continue;
    readSegment(dir, number, numbers[index + 1], { watermark, counted, note, found });
  }
  // Without a note, and with the header gone, nobody knows where to begin: what is there is whole.
  const isBeginningKnown = note !== undefined || numbers[0] === 0 || found.firstSequence > 1;
  const firstSequence = isBeginningKnown ? found.firstSequence : lowestOf(found.begun, found.nextSequence);
  const nextNumber = Math.max(last, segmentOf(note?.end ?? 0), segmentOf(counted)) + 1;
  return {
    end: found.end,
    canResume: found.end >= counted && canResume(dir, last, found.end, note),
    nextNumber,
    firstSequence,
    nextSequence: found.nextSequence,
    orphans: [...found.orphans],
    undelivered: found.begun.size - found.acknowledged,
    lost: lostRanges(found, firstSequence),
    damagedBytes: found.damagedBytes,
    misplaced,
  };
}

function readSegment(
  dir: string,
  number: number,
  next: number | undefined,
  { watermark, counted, note, found }: Scan,
): void {
  const path = segmentPath(dir, number);
  const header = headerOf(path);
  const file = readFileSync(path);
  // Of the last segment the note tells how far it must go, of another one the segment behind it.
  const isLast = next === undefined;
  const exactEnd = isLast ? undefined : endOfSegment(dir, number, next);
  const mustReach = exactEnd ?? (note !== undefined && segmentOf(note.end) === number ? offsetOf(note.end) : 0);
  const bytes = exactEnd === undefined ? file : file.subarray(0, exactEnd);
  const isBehind = (at: number): boolean => positionOf(number, at) >= watermark;
  if (header !== undefined) {
    found.nextSequence = Math.max(found.nextSequence, header.firstSequence);
    if (number <= segmentOf(watermark)) found.firstSequence = Math.max(found.firstSequence, header.firstSequence);
  }
  let at = SEGMENT_HEADER_BYTES;
  while (at < bytes.length) {
    const frame = readFrame(bytes, at, number);
    if (frame !== undefined) {
      take(frame, isBehind(at), found);
      if (positionOf(number, at) < counted && isWhole(frame, found)) found.acknowledged++;
      at = frame.end;
      continue;
    }
    const resumed = findFrame(bytes, at + 1, number);
    if (resumed < 0) break;
    if (isBehind(resumed - 1)) found.damagedBytes += resumed - at;
    at = resumed;
  }
  if (mustReach > at && isBehind(mustReach)) found.damagedBytes += mustReach - at;
  if (isLast) found.end = positionOf(number, at);
}

function take(frame: Frame, isBehind: boolean, found: Found): void {
  const { kind, sequence } = frame;
  if (!isBeginning(kind)) {
    found.orphans.delete(sequence);
    // Its intent may be what is lost.
    found.nextSequence = Math.max(found.nextSequence, sequence + 1);
    return;
  }
  found.nextSequence = Math.max(found.nextSequence, sequence + 1);
  if (!isBehind) {
    found.firstSequence = Math.max(found.firstSequence, sequence + 1);
    return;
  }
  found.begun.add(sequence);
  if (kind === FrameKind.intent) found.orphans.add(sequence);
  else found.told.push(...lostRangesOf(frame.payload));
}

/** Whether a record that begins behind the watermark is whole with this frame. */
function isWhole({ kind, sequence }: Frame, { begun }: Found): boolean {
  return kind !== FrameKind.intent && begun.has(sequence);
}

/** The numbers between the first and the next that began nowhere, but for those that are told already. */
function lostRanges({ begun, told, nextSequence }: Found, first: number): LostRange[] {
  const known = [...[...begun].map((sequence) => ({ from: sequence, to: sequence })), ...told];
  const ranges: LostRange[] = [];
  let expected = first;
  for (const { from, to } of known.sort((one, other) => one.from - other.from)) {
    if (from > expected) ranges.push({ from: expected, to: from - 1 });
    expected = Math.max(expected, to + 1);
  }
  if (expected < nextSequence) ranges.push({ from: expected, to: nextSequence - 1 });
  return ranges;
}

/** Only where the last segment is whole as a file and reaches as far as it was on the disk. */
function canResume(dir: string, last: number, end: Position, note: Synced | undefined): boolean {
  if (last < 0 || (note !== undefined && end < note.end)) return false;
  return headerOf(segmentPath(dir, last))?.number === last;
}

function lowestOf(sequences: Iterable<number>, otherwise: number): number {
  let lowest = otherwise;
  for (const sequence of sequences) lowest = Math.min(lowest, sequence);
  return lowest;
}
