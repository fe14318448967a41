import { closeSync, fstatSync, openSync, readdirSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalLog } from './journal-options.js';
import type { LogProgress } from './log-progress.js';
import { offsetOf, type Position, positionOf, segmentOf } from './position.js';
import {
  clearBehind,
  preallocate,
  preallocateSync,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  segmentNumbers,
  segmentPath,
  writeSegmentHeader,
} from './segment-file.js';

const SPARE_SUFFIX = '.spare';

export interface SegmentStoreOptions {
  readonly dir: string;
  readonly segmentBytes: number;
  readonly sizeMaxBytes: number;
  /** Room that an open intent holds: no frame that closes one is larger. */
  readonly outcomeFrameBytesMax: number;
  readonly progress: LogProgress;
  readonly log: JournalLog;
}

/** The segments of one log: the one being written and zero-filled spares behind it, within a bound of bytes. */
export class SegmentStore {
  private fd = -1;
  private number = -1;
  private offset = 0;
  private capacity = 0;
  private readonly spares: string[] = [];
  private spareCount = 0;
  private preparing = 0;
  private isClosed = false;
  private readonly sizes = new Map<number, number>();

  constructor(private readonly options: SegmentStoreOptions) {
    const { dir } = options;
    for (const name of readdirSync(dir)) if (name.endsWith(SPARE_SUFFIX)) unlinkSync(join(dir, name));
    for (const number of segmentNumbers(dir)) this.sizes.set(number, statSync(segmentPath(dir, number)).size);
    options.progress.firstSegment = Math.min(...this.sizes.keys(), Number.MAX_SAFE_INTEGER);
  }

  /** Goes on writing at `end`, over whatever a torn write left there. */
  resume(end: Position): void {
    this.openSegment(segmentOf(end), offsetOf(end));
    clearBehind(this.fd, this.offset, this.capacity);
    this.options.progress.committed = end;
  }

  /** Starts the log's first segment. */
  start(firstSequence: number): void {
    this.addSpare();
    this.roll(firstSequence);
    this.options.progress.firstSegment = this.number;
  }

  /** Bytes on disk, spares included. */
  sizeBytes(): number {
    const { firstSegment } = this.options.progress;
    let bytes = (this.spares.length + this.preparing) * this.options.segmentBytes;
    for (const [number, size] of this.sizes) {
      if (number < firstSegment) this.sizes.delete(number);
      else bytes += size;
    }
    return bytes;
  }

  /** Whether `frameBytes` more stand in the segment behind `pendingBytes` that are still to be written. */
  fits(pendingBytes: number, frameBytes: number): boolean {
    return this.offset + pendingBytes + frameBytes <= this.capacity;
  }

  /**
   * Whether a frame can be taken so that every open intent can still be closed afterwards. Makes a spare when there
   * is none for it and the bound allows one.
   * @param openIntents - intents that are open once the frame is taken
   * @throws the disk's error
   */
  admits(pendingBytes: number, frameBytes: number, openIntents: number): boolean {
    const reservedBytes = openIntents * this.options.outcomeFrameBytesMax;
    let roomBytes = this.roomAfter(pendingBytes, frameBytes);
    while (roomBytes < reservedBytes) {
      if (this.isAtBound()) return false;
      this.addSpare();
      roomBytes = this.roomAfter(pendingBytes, frameBytes);
    }
    if (roomBytes - reservedBytes < this.options.segmentBytes / 2) this.prepareSpare();
    return true;
  }

  /** Writes whole frames, which `fits` said stand in the segment, to the page cache. */
  write(frames: Buffer, bytes: number): void {
    if (this.fd < 0) this.openSegment(this.number, this.offset);
    for (let written = 0; written < bytes;) {
      written += writeSync(this.fd, frames, written, bytes - written, this.offset + written);
    }
    this.offset += bytes;
    this.options.progress.committed = positionOf(this.number, this.offset);
  }

  /** Leaves the segment for the next spare, beyond the bound too: what was admitted has to be written. */
  roll(firstSequence: number): void {
    if (this.spares.length === 0) this.addSpare();
    const spare = this.spares[0]!;
    const next = this.number + 1;
    const fd = openSync(spare, 'r+');
    try {
      writeSegmentHeader(fd, firstSequence);
      renameSync(spare, segmentPath(this.options.dir, next));
    } finally {
      closeSync(fd);
    }
    this.spares.shift();
    this.sizes.set(next, this.options.segmentBytes);
    this.openSegment(next, SEGMENT_HEADER_BYTES);
  }

  /** Lets go of a file that failed, so that the next write opens it anew. */
  reopen(): void {
    const { fd } = this;
    this.fd = -1;
    try {
      if (fd >= 0) closeSync(fd);
    } catch (error) {
      this.options.log.debug({ error }, 'a failed segment could not be closed');
    }
  }

  close(): void {
    this.isClosed = true;
    this.reopen();
    for (const spare of this.spares.splice(0)) unlinkSync(spare);
  }

  private openSegment(number: number, offset: number): void {
    const fd = openSync(segmentPath(this.options.dir, number), 'r+');
    if (readSegmentHeader(fd) === undefined) {
      closeSync(fd);
      throw new Error(`${segmentPath(this.options.dir, number)} is no segment of a journal`);
    }
    this.reopen();
    this.fd = fd;
    this.number = number;
    this.offset = offset;
    this.capacity = fstatSync(fd).size;
  }

  /** What is left for outcomes: at the end of each segment less than one of them may be wasted. */
  private roomAfter(pendingBytes: number, frameBytes: number): number {
    const { segmentBytes, outcomeFrameBytesMax } = this.options;
    const spareBytes = segmentBytes - SEGMENT_HEADER_BYTES;
    const sparesRoom = this.spares.length * (spareBytes - outcomeFrameBytesMax);
    const left = this.capacity - this.offset - pendingBytes - frameBytes;
    if (left >= 0) return Math.max(0, left - outcomeFrameBytesMax) + sparesRoom;
    return this.spares.length === 0 ? -1 : sparesRoom - frameBytes;
  }

  private isAtBound(): boolean {
    return this.sizeBytes() + this.options.segmentBytes > this.options.sizeMaxBytes;
  }

  private nextSparePath(): string {
    return join(this.options.dir, `${this.spareCount++}${SPARE_SUFFIX}`);
  }

  private addSpare(): void {
    const path = this.nextSparePath();
    preallocateSync(path, this.options.segmentBytes);
    this.spares.push(path);
  }

  private prepareSpare(): void {
    if (this.preparing > 0 || this.isClosed || this.isAtBound()) return;
    const path = this.nextSparePath();
    this.preparing++;
    preallocate(path, this.options.segmentBytes)
      .then(
        () => {
          if (this.isClosed) return unlink(path);
          this.spares.push(path);
          return undefined;
        },
        (error: unknown) => {
          // The call that needs the room meets the same error and is refused with it.
          this.options.log.warn({ error }, 'the journal could not prepare a segment');
          return unlink(path);
        },
      )
      .catch((error: unknown) => this.options.log.debug({ error }, 'a spare segment could not be removed'))
      .finally(() => this.preparing--);
  }
}
