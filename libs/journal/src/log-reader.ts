import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { claimedFrameBytes, findFrame, type Frame, readFrame } from './frame.js';
import { offsetOf, type Position, positionOf, segmentOf } from './position.js';
import { endOfSegment, SEGMENT_HEADER_BYTES, segmentNumbers, segmentPath } from './segment-file.js';

const CHUNK_BYTES = 1 << 20;
const BUFFER_BYTES_MIN = 1 << 16;

/** Where the frames of a segment end; not exact where only the file's size is known. */
interface SegmentEnd {
  readonly offset: number;
  readonly isExact: boolean;
}

/** Reads a log's frames in order, up to where its writer has come. What is damaged it passes over, to the next frame. */
export class LogReader {
  private fd = -1;
  private number: number;
  private offset: number;
  private segmentBytes = 0;
  private end: SegmentEnd | undefined;
  private buffer = Buffer.alloc(0);
  private chunk = this.buffer;
  private chunkAt = 0;

  /** @param onDamage - called with the place of bytes that are no frames, and how many they are */
  constructor(
    private readonly dir: string,
    from: Position,
    private readonly onDamage: (at: Position, bytes: number) => void,
  ) {
    this.number = segmentOf(from);
    this.offset = Math.max(offsetOf(from), SEGMENT_HEADER_BYTES);
  }

  /** Where the next frame is read from. */
  get position(): Position {
    return positionOf(this.number, this.offset);
  }

  /** The next frame before `committed`, or `undefined` when there is none. Its payload is valid until the next call. */
  next(committed: Position): Frame | undefined {
    while (this.position < committed) {
      if (this.fd < 0 && !this.openSegment(committed)) continue;
      const isLast = this.number === segmentOf(committed);
      const end = isLast ? { offset: offsetOf(committed), isExact: true } : (this.end ??= this.findEnd());
      const frame = this.readAt(Math.min(end.offset, this.segmentBytes));
      if (frame !== undefined) {
        this.offset = this.chunkAt + frame.end;
        return frame;
      }
      if (this.skipDamage(end)) continue;
      if (isLast) this.offset = offsetOf(committed);
      else this.leaveSegment(this.number + 1);
    }
    return undefined;
  }

  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }

  /** Goes to the next whole frame of the segment. @returns whether there is one */
  private skipDamage(end: SegmentEnd): boolean {
    const limit = Math.min(end.offset, this.segmentBytes);
    this.fill(limit - this.offset, limit);
    const at = findFrame(this.chunk, 1, this.number);
    const lost = at >= 0 ? at : end.isExact ? end.offset - this.offset : 0;
    if (lost > 0) this.onDamage(this.position, lost);
    if (at >= 0) this.offset += at;
    return at >= 0;
  }

  private readAt(limit: number): Frame | undefined {
    const inChunk = readFrame(this.chunk, this.offset - this.chunkAt, this.number);
    if (inChunk !== undefined && this.chunkAt + inChunk.end <= limit) return inChunk;
    this.fill(CHUNK_BYTES, limit);
    const claimed = claimedFrameBytes(this.chunk, 0);
    if (claimed > this.chunk.length && this.offset + claimed <= limit) this.fill(claimed, limit);
    return readFrame(this.chunk, 0, this.number);
  }

  private fill(bytes: number, limit: number): void {
    const wanted = Math.max(0, Math.min(bytes, limit - this.offset));
    // One buffer for all reads: a new one for each brings about collections that cost more than the reading.
    if (this.buffer.length < wanted) this.buffer = Buffer.allocUnsafeSlow(Math.max(wanted, BUFFER_BYTES_MIN));
    const read = wanted === 0 ? 0 : readSync(this.fd, this.buffer, 0, wanted, this.offset);
    this.chunk = this.buffer.subarray(0, read);
    this.chunkAt = this.offset;
  }

  /** Opens the segment, or goes to the next one that is there. */
  private openSegment(committed: Position): boolean {
    const numbers = segmentNumbers(this.dir);
    if (!numbers.includes(this.number)) {
      this.leaveSegment(numbers.find((number) => number > this.number) ?? segmentOf(committed) + 1);
      return false;
    }
    this.fd = openSync(segmentPath(this.dir, this.number), 'r');
    this.segmentBytes = fstatSync(this.fd).size;
    return true;
  }

  private findEnd(): SegmentEnd {
    const next = segmentNumbers(this.dir).find((number) => number > this.number);
    const end = next === undefined ? undefined : endOfSegment(this.dir, this.number, next);
    return { offset: end ?? this.segmentBytes, isExact: end !== undefined };
  }

  private leaveSegment(next: number): void {
    this.close();
    this.number = next;
    this.offset = SEGMENT_HEADER_BYTES;
    this.end = undefined;
    this.chunk = Buffer.alloc(0);
    this.chunkAt = 0;
  }
}
