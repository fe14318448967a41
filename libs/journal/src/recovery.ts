import { openSync, closeSync, readFileSync } from 'node:fs';
import { FrameKind, readFrame } from './frame.js';
import { type Position, positionOf, segmentOf } from './position.js';
import { readSegmentHeader, SEGMENT_HEADER_BYTES, segmentNumbers, segmentPath } from './segment-file.js';

/** What stands in a log that an earlier process left. */
export interface Recovered {
  /** Behind the last whole frame: where the log goes on. */
  readonly end: Position;
  readonly nextSequence: number;
  /** Intents behind the watermark without an outcome. */
  readonly orphans: readonly number[];
  /** Records behind the watermark: some may have been acknowledged. */
  readonly undelivered: number;
}

/**
 * Reads a log from the watermark on, and its last segment whole, for that tells the next sequence number.
 * @returns `undefined` for a log without a segment
 */
export function recoverLog(dir: string, watermark: Position): Recovered | undefined {
  const numbers = segmentNumbers(dir).filter((number) => firstSequenceOf(dir, number) !== undefined);
  const last = numbers.at(-1);
  if (last === undefined) return undefined;
  const orphans = new Set<number>();
  let undelivered = 0;
  let nextSequence = firstSequenceOf(dir, last)!;
  let end = positionOf(last, SEGMENT_HEADER_BYTES);
  for (const number of numbers) {
    if (number < segmentOf(watermark) && number !== last) continue;
    const segment = readFileSync(segmentPath(dir, number));
    for (let at = SEGMENT_HEADER_BYTES, frame = readFrame(segment, at); frame; frame = readFrame(segment, at)) {
      const position = positionOf(number, at);
      at = frame.end;
      if (number === last) end = positionOf(number, at);
      nextSequence = Math.max(nextSequence, frame.sequence + 1);
      if (position < watermark) continue;
      const isBeginning = frame.kind === FrameKind.intent || frame.kind === FrameKind.record;
      if (isBeginning) undelivered++;
      if (frame.kind === FrameKind.intent) orphans.add(frame.sequence);
      else if (!isBeginning) orphans.delete(frame.sequence);
    }
  }
  return { end, nextSequence, orphans: [...orphans], undelivered };
}

function firstSequenceOf(dir: string, number: number): number | undefined {
  const fd = openSync(segmentPath(dir, number), 'r');
  try {
    return readSegmentHeader(fd);
  } finally {
    closeSync(fd);
  }
}
