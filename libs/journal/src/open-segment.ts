import { closeSync, fstatSync, openSync } from 'node:fs';
import type { JournalFiles } from './journal-files.js';
import { type Position, positionOf } from './position.js';
import { readSegmentHeader, SEGMENT_HEADER_BYTES, segmentPath } from './segment-file.js';

/** A segment that is being written, or is left and waits for its sync. */
export class OpenSegment {
  readonly capacity: number;
  /** Bytes before it are on the disk. */
  syncedEnd: number;
  private syncs = 0;
  private isLeft = false;

  private constructor(
    readonly number: number,
    readonly continues: Position,
    private readonly fd: number,
    /** Where the next frame goes. */
    public offset: number,
  ) {
    this.capacity = fstatSync(fd).size;
    this.syncedEnd = offset;
  }

  /** @throws Error when the file's header is not the segment's; the disk's error */
  static open(dir: string, number: number, offset: number): OpenSegment {
    const path = segmentPath(dir, number);
    const fd = openSync(path, 'r+');
    const header = readSegmentHeader(fd);
    if (header?.number === number) return new OpenSegment(number, header.continues, fd, offset);
    closeSync(fd);
    throw new Error(`${path} is not this segment of a journal`);
  }

  get end(): Position {
    return positionOf(this.number, this.offset);
  }

  /** Whether nothing of it has ever been on the disk for sure. */
  get isUnproven(): boolean {
    return this.syncedEnd <= SEGMENT_HEADER_BYTES;
  }

  /** Writes to the page cache. @throws the disk's error */
  write(files: JournalFiles, frames: Uint8Array): void {
    for (let written = 0; written < frames.byteLength;) {
      const count = files.write(this.fd, frames, written, frames.byteLength - written, this.offset + written);
      if (count <= 0) throw new Error('the disk took no byte');
      written += count;
    }
    this.offset += frames.byteLength;
  }

  /** The descriptor stays open until `done`, or its number could be another file's by then. Of a left segment: never. */
  sync(files: JournalFiles, done: (error: Error | null) => void): void {
    if (this.isLeft) return;
    this.syncs++;
    files.dataSync(this.fd, (error) => {
      this.syncs--;
      this.closeIfLeft();
      done(error);
    });
  }

  syncNow(files: JournalFiles): void {
    files.dataSyncNow(this.fd);
    this.syncedEnd = this.offset;
  }

  /** Nothing more is written to it. */
  leave(): void {
    if (this.isLeft) return;
    this.isLeft = true;
    this.closeIfLeft();
  }

  private closeIfLeft(): void {
    if (!this.isLeft || this.syncs > 0) return;
    try {
      closeSync(this.fd);
    } catch {
      // A disk that failed the frames may fail this as well; they are written again elsewhere.
    }
  }
}
