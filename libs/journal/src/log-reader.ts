import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { claimedFrameBytes, type Frame, readFrame } from './frame.js';
import { offsetOf, type Position, positionOf, segmentOf } from './position.js';
import { SEGMENT_HEADER_BYTES, segmentNumbers, segmentPath } from './segment-file.js';

const CHUNK_BYTES = 1 << 20;

/** Reads a log's frames in order, up to where its writer has come. */
export class LogReader {
  private fd = -1;
  private number: number;
  private offset: number;
  private segmentBytes = 0;
  private chunk = Buffer.alloc(0);
  private chunkAt = 0;

  /** @param onDamage - called with the place where a segment ends before it should */
  constructor(
    private readonly dir: string,
    from: Position,
    private readonly onDamage: (at: Position) => void,
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
      if (this.fd < 0 && !this.openSegment()) continue;
      const isLast = this.number === segmentOf(committed);
      const limit = isLast ? Math.min(offsetOf(committed), this.segmentBytes) : this.segmentBytes;
      const frame = this.readAt(limit);
      if (frame !== undefined) {
        this.offset = this.chunkAt + frame.end;
        return frame;
      }
      const isFree = claimedFrameBytes(this.chunk, this.offset - this.chunkAt) === 0;
      if (!isFree || isLast) this.onDamage(this.position);
      if (isLast) this.offset = offsetOf(committed);
      else this.leaveSegment(this.number + 1);
    }
    return undefined;
  }

  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }

  private readAt(limit: number): Frame | undefined {
    const inChunk = readFrame(this.chunk, this.offset - this.chunkAt);
    if (inChunk !== undefined && this.chunkAt + inChunk.end <= limit) return inChunk;
    this.fill(CHUNK_BYTES, limit);
    const claimed = claimedFrameBytes(this.chunk, 0);
    if (claimed > this.chunk.length && this.offset + claimed <= limit) this.fill(claimed, limit);
    return readFrame(this.chunk, 0);
  }

  private fill(bytes: number, limit: number): void {
    const wanted = Math.max(0, Math.min(bytes, limit - this.offset));
    const chunk = Buffer.allocUnsafe(wanted);
    const read = wanted === 0 ? 0 : readSync(this.fd, chunk, 0, wanted, this.offset);
    this.chunk = chunk.subarray(0, read);
    this.chunkAt = this.offset;
  }

  /** Opens the segment, or goes to the next one that is there. */
  private openSegment(): boolean {
    const numbers = segmentNumbers(this.dir);
    if (!numbers.includes(this.number)) {
      this.leaveSegment(numbers.find((number) => number > this.number) ?? this.number + 1);
      return false;
    }
    this.fd = openSync(segmentPath(this.dir, this.number), 'r');
    this.segmentBytes = fstatSync(this.fd).size;
    return true;
  }

  private leaveSegment(next: number): void {
    this.close();
    this.number = next;
    this.offset = SEGMENT_HEADER_BYTES;
    this.chunk = Buffer.alloc(0);
    this.chunkAt = 0;
  }
}
