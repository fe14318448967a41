import { closeSync, openSync, readdirSync, readSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { LogProgress } from './log-progress.js';
import { offsetOf, type Position, positionOf, segmentOf } from './position.js';

/**
 * u32 magic | u32 CRC-32 of the rest | u32 number | u32 + u32 first sequence that the segment may hold, low half first |
 * u32 + u32 number and end of the segment before it.
 */
export const SEGMENT_HEADER_BYTES = 28;
const MAGIC = 0x324a_5257;
const TWO_TO_32 = 4_294_967_296;
const SUFFIX = '.segment';
/** A delivered segment's file, until the writer makes a spare of it. */
export const USED_SUFFIX = '.used';
/** Files that wait to be used again; more than these are removed, for a quiet log has no use for them. */
const USED_MAX = 2;

export interface SegmentHeader {
  /** The file's name may be wrong, where somebody put files back; this is the number that its frames are sealed with. */
  readonly number: number;
  readonly firstSequence: number;
  /**
   * Where the frames of the segment before end. What stands behind it there does not count: it was written again, to
   * here, after the disk had failed. 0 for the first segment of a log.
   */
  readonly continues: Position;
}

export function segmentPath(dir: string, number: number): string {
  return join(dir, String(number).padStart(10, '0') + SUFFIX);
}

/** The numbers of a log's segments, growing. */
export function segmentNumbers(dir: string): number[] {
  const names = readdirSync(dir).filter((name) => name.endsWith(SUFFIX));
  return names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
}

/** The header's bytes, for the file's first. */
export function segmentHeader({ number, firstSequence, continues }: SegmentHeader): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(number, 8);
  header.writeUInt32LE(firstSequence % TWO_TO_32, 12);
  header.writeUInt32LE(Math.floor(firstSequence / TWO_TO_32), 16);
  header.writeUInt32LE(segmentOf(continues), 20);
  header.writeUInt32LE(offsetOf(continues), 24);
  header.writeUInt32LE(crc32(header.subarray(8)), 4);
  return header;
}

/** What the file's header says, or `undefined` when it is not one of ours. */
export function readSegmentHeader(fd: number): SegmentHeader | undefined {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  if (readSync(fd, header, 0, SEGMENT_HEADER_BYTES, 0) < SEGMENT_HEADER_BYTES) return undefined;
  if (header.readUInt32LE(0) !== MAGIC || header.readUInt32LE(4) !== crc32(header.subarray(8))) return undefined;
  return {
    number: header.readUInt32LE(8),
    firstSequence: header.readUInt32LE(12) + header.readUInt32LE(16) * TWO_TO_32,
    continues: positionOf(header.readUInt32LE(20), header.readUInt32LE(24)),
  };
}

/** The header of a segment of the log, or `undefined` where it is damaged. */
export function headerOf(path: string): SegmentHeader | undefined {
  const fd = openSync(path, 'r');
  try {
    return readSegmentHeader(fd);
  } finally {
    closeSync(fd);
  }
}

/** Where the frames of a segment end, as the `next` one that is there says; `undefined` where it does not. */
export function endOfSegment(dir: string, number: number, next: number): number | undefined {
  const continues = headerOf(segmentPath(dir, next))?.continues ?? 0;
  return continues > 0 && segmentOf(continues) === number ? offsetOf(continues) : undefined;
}

/**
 * Takes a delivered segment out of the log. Its file becomes the writer's next spare, for filling a new one with zeroes
 * costs a twentieth of a busy process; where enough of them wait it is removed.
 */
export function retireSegment(dir: string, number: number, progress: LogProgress): void {
  const path = segmentPath(dir, number);
  if (progress.addUsed(1) > USED_MAX) {
    progress.addUsed(-1);
    unlinkSync(path);
    return;
  }
  renameSync(path, join(dir, String(number).padStart(10, '0') + USED_SUFFIX));
}

/** The files that wait to be used again. */
export function usedPaths(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(USED_SUFFIX))
    .map((name) => join(dir, name));
}
