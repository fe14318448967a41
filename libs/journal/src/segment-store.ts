import { closeSync, openSync, renameSync, statSync, unlinkSync } from 'node:fs';
import type { JournalFiles } from './journal-files.js';
import { writeAll } from './journal-files.js';
import type { JournalLog } from './journal-options.js';
import type { LogProgress } from './log-progress.js';
import { OpenSegment } from './open-segment.js';
import { offsetOf, type Position, positionOf, segmentOf } from './position.js';
import {
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentHeader,
  segmentNumbers,
  segmentPath,
} from './segment-file.js';
import { SpareSegments } from './spare-segments.js';

const ZEROES = Buffer.alloc(1 << 20);

export interface SegmentStoreOptions {
  readonly dir: string;
  readonly segmentBytes: number;
  readonly sizeMaxBytes: number;
  /** Room that an open intent holds: no frame that closes one is larger. */
  readonly outcomeFrameBytesMax: number;
  readonly progress: LogProgress;
  readonly log: JournalLog;
  readonly files: JournalFiles;
}

/** Segments that were written and are not synced, the older first, and where the log ends in the last of them. */
export interface Unsynced {
  readonly segments: readonly OpenSegment[];
  /** The directory's descriptor, where a segment has a new name. */
  readonly names: number | undefined;
  readonly end: Position;
}

/** The segments of one log: the one being written, those that wait for their sync, and spares, within a bound of bytes. */
export class SegmentStore {
  private current!: OpenSegment;
  /** Written and not synced; all but the last are left already. */
  private dirty: OpenSegment[] = [];
  private readonly spares: SpareSegments;
  private readonly sizes = new Map<number, number>();
  private readonly dirFd: number;
  /** A segment's name is on the disk once its directory is synced. */
  private hasNewNames = false;

  constructor(private readonly options: SegmentStoreOptions) {
    const { dir } = options;
    this.spares = new SpareSegments(options);
    this.dirFd = openSync(dir, 'r');
    for (const number of segmentNumbers(dir)) this.sizes.set(number, statSync(segmentPath(dir, number)).size);
    options.progress.firstSegment = Math.min(...this.sizes.keys(), Number.MAX_SAFE_INTEGER);
  }

  /** Goes on writing at `end`, over whatever a torn write left there, once all before it is on the disk. */
  resume(end: Position): void {
    const { dir, files, progress } = this.options;
    this.syncExisting();
    this.current = OpenSegment.open(dir, segmentOf(end), offsetOf(end));
    const behind = Math.min(ZEROES.length, this.current.capacity - offsetOf(end));
    if (behind > 0) this.current.write(files, ZEROES.subarray(0, behind));
    this.current.offset = offsetOf(end);
    this.current.syncNow(files);
    progress.committed = end;
  }

  /** Starts a segment behind all that are there; its number is above all others. */
  start(header: SegmentHeader): void {
    const { progress } = this.options;
    this.syncExisting();
    this.use(header);
    progress.firstSegment = Math.min(progress.firstSegment, header.number);
    this.dirty = [this.current];
    progress.committed = this.current.end;
  }

  /** What the CRC of the next frame starts from. */
  get seed(): number {
    return this.current.number;
  }

  /** Bytes on disk, spares included. */
  sizeBytes(): number {
    const { firstSegment } = this.options.progress;
    let bytes = this.spares.bytes;
    for (const [number, size] of this.sizes) {
      if (number < firstSegment) this.sizes.delete(number);
      else bytes += size;
    }
    return bytes;
  }

  /** Whether `frameBytes` more stand in the segment behind `pendingBytes` that are still to be written. */
  fits(pendingBytes: number, frameBytes: number): boolean {
    return this.current.offset + pendingBytes + frameBytes <= this.current.capacity;
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
      this.spares.add();
      roomBytes = this.roomAfter(pendingBytes, frameBytes);
    }
    if (roomBytes - reservedBytes < this.options.segmentBytes / 2 && !this.isAtBound()) this.spares.prepare();
    return true;
  }

  /** Writes whole frames, which `fits` said stand in the segment, to the page cache. @throws the disk's error */
  write(frames: Uint8Array): void {
    if (this.dirty.at(-1) !== this.current) this.dirty.push(this.current);
    this.current.write(this.options.files, frames);
  }

  /** Leaves the segment for the next spare, beyond the bound too: what was admitted has to be written. */
  roll(firstSequence: number): void {
    const left = this.current;
    this.use({ number: left.number + 1, firstSequence, continues: left.end });
    if (!this.dirty.includes(left)) left.leave();
    this.dirty.push(this.current);
  }

  /** What was written and is not synced, or `undefined` where nothing was. */
  unsynced(): Unsynced | undefined {
    if (this.dirty.length === 0) return undefined;
    const names = this.hasNewNames ? this.dirFd : undefined;
    this.hasNewNames = false;
    return { segments: [...this.dirty], names, end: this.current.end };
  }

  /** Notes that they are on the disk. */
  synced({ segments, end }: Unsynced): void {
    for (const segment of segments) {
      segment.syncedEnd = segment.number === segmentOf(end) ? offsetOf(end) : segment.offset;
      if (segment.syncedEnd < segment.offset) continue;
      this.dirty.splice(this.dirty.indexOf(segment), 1);
      if (segment !== this.current) segment.leave();
    }
  }

  /**
   * Leaves all that is not synced behind, for a segment whose header says so. After a failed sync the kernel may have
   * dropped the pages and call the next sync of the file a success, so no byte of them is counted on: the caller writes
   * them again.
   * @param firstSequence - the lowest that is written again
   * @throws the disk's error
   */
  replaceUnsynced(firstSequence: number): void {
    const left = this.current;
    const [failed = left] = this.dirty;
    // A segment of which nothing was ever on the disk says nothing; what it goes on from, the new one does.
    const isUseless = failed.isUnproven && failed.continues > 0;
    const continues = isUseless ? failed.continues : positionOf(failed.number, failed.syncedEnd);
    this.use({ number: left.number + 1, firstSequence, continues });
    for (const segment of new Set([...this.dirty, left])) {
      segment.leave();
      if (segment.number > failed.number || isUseless) this.remove(segment.number);
    }
    this.dirty = [this.current];
  }

  /** Puts everything on the disk. Blocks. @throws the disk's error */
  syncNow(): void {
    for (const segment of this.dirty) segment.syncNow(this.options.files);
    this.options.files.dataSyncNow(this.dirFd);
  }

  get end(): Position {
    return this.current.end;
  }

  close(): void {
    for (const segment of [...this.dirty, this.current]) segment.leave();
    closeSync(this.dirFd);
    this.spares.close();
  }

  private use(header: SegmentHeader): void {
    const { dir, segmentBytes, files } = this.options;
    const spare = this.spares.next;
    const fd = openSync(spare, 'r+');
    try {
      writeAll(files, fd, segmentHeader(header), 0);
      renameSync(spare, segmentPath(dir, header.number));
    } catch (error) {
      this.spares.discard();
      throw error;
    } finally {
      closeSync(fd);
    }
    this.spares.used();
    this.sizes.set(header.number, segmentBytes);
    this.current = OpenSegment.open(dir, header.number, SEGMENT_HEADER_BYTES);
    this.hasNewNames = true;
  }

  /** An earlier process may have ended before it had synced what it left. */
  private syncExisting(): void {
    const { dir, files } = this.options;
    for (const number of this.sizes.keys()) {
      const fd = openSync(segmentPath(dir, number), 'r+');
      try {
        files.dataSyncNow(fd);
      } finally {
        closeSync(fd);
      }
    }
    files.dataSyncNow(this.dirFd);
  }

  private remove(number: number): void {
    this.sizes.delete(number);
    try {
      unlinkSync(segmentPath(this.options.dir, number));
    } catch (error) {
      this.options.log.debug({ error }, 'a failed segment could not be removed');
    }
  }

  /** What is left for outcomes: at the end of each segment less than one of them may be wasted. */
  private roomAfter(pendingBytes: number, frameBytes: number): number {
    const { segmentBytes, outcomeFrameBytesMax } = this.options;
    const spareBytes = segmentBytes - SEGMENT_HEADER_BYTES;
    const sparesRoom = this.spares.count * (spareBytes - outcomeFrameBytesMax);
    const left = this.current.capacity - this.current.offset - pendingBytes - frameBytes;
    if (left >= 0) return Math.max(0, left - outcomeFrameBytesMax) + sparesRoom;
    return this.spares.count === 0 ? -1 : sparesRoom - frameBytes;
  }

  private isAtBound(): boolean {
    return !this.spares.canReuse && this.sizeBytes() + this.options.segmentBytes > this.options.sizeMaxBytes;
  }
}

/** Puts them on the disk off the loop, the older first: what is there has no hole. Ends early once they are left. */
export function syncSegments(
  { segments, names }: Unsynced,
  files: JournalFiles,
  done: (error: Error | null) => void,
): void {
  const next = (index: number): void => {
    const segment = segments[index];
    if (segment !== undefined) segment.sync(files, (error) => (error === null ? next(index + 1) : done(error)));
    else if (names !== undefined) files.dataSync(names, done);
    else done(null);
  };
  next(0);
}
