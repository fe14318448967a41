import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type JournalFiles, writeAll } from './journal-files.js';
import type { JournalLog } from './journal-options.js';
import type { LogProgress } from './log-progress.js';
import { offsetOf, type Position, positionOf, segmentOf } from './position.js';

const FILE_NAME = 'synced';
const FILE_BYTES = 28;
const TWO_TO_32 = 4_294_967_296;

/** How far a log was on the disk. */
export interface Synced {
  readonly end: Position;
  /** No sequence below it is given again. */
  readonly nextSequence: number;
  /** Records below it were acknowledged. */
  readonly deliveredBelow: number;
}

type Written = Omit<Synced, 'deliveredBelow'>;

/** The last note of a log, or `undefined` where none can be read. */
export function readSyncedNote(dir: string): Synced | undefined {
  try {
    const bytes = readFileSync(join(dir, FILE_NAME));
    if (bytes.length < FILE_BYTES || crc32(bytes.subarray(4, FILE_BYTES)) !== bytes.readUInt32LE(0)) return undefined;
    const numberAt = (at: number): number => bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * TWO_TO_32;
    const end = positionOf(bytes.readUInt32LE(4), bytes.readUInt32LE(8));
    return { end, nextSequence: numberAt(12), deliveredBelow: numberAt(20) };
  } catch {
    return undefined;
  }
}

/**
 * The file that says how far the log was on the disk, so that recovery knows what must be there: without it a lost tail
 * looks like one that was never written. Readers are shown nothing that is not noted; so a record that was published and
 * is damaged leaves its sequence number to no other one. The note itself is not synced: after a power cut it may be an
 * older one, and then the frames themselves, which were, tell more.
 */
export class SyncedNote {
  private readonly fd: number;
  private isWriting = false;
  private isClosed = false;
  private next: Written | undefined;
  /** Called when readers may see more. */
  onCommit: () => void = () => {};

  constructor(
    dir: string,
    private readonly files: JournalFiles,
    private readonly log: JournalLog,
    private readonly progress: LogProgress,
  ) {
    closeSync(openSync(join(dir, FILE_NAME), 'a'));
    this.fd = openSync(join(dir, FILE_NAME), 'r+');
  }

  /** Writes it off the loop; while one is written, the last one waits. */
  write(synced: Written): void {
    if (this.isClosed) return;
    this.next = synced;
    if (!this.isWriting) this.writeNext();
  }

  /** Blocks. @throws the disk's error */
  writeNow(synced: Written): void {
    this.next = undefined;
    writeAll(this.files, this.fd, this.textOf(synced), 0);
    this.progress.committed = synced.end;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.next = undefined;
    if (!this.isWriting) closeSync(this.fd);
  }

  private writeNext(): void {
    const synced = this.next!;
    this.next = undefined;
    this.isWriting = true;
    this.files.writeLater(this.fd, this.textOf(synced), 0, (error) => {
      this.isWriting = false;
      if (this.isClosed) return closeSync(this.fd);
      // Records that nobody reads would be the greater loss.
      if (error !== null) this.log.warn({ err: error }, 'the journal could not note how far it is on the disk');
      this.progress.committed = synced.end;
      this.onCommit();
      if (this.next !== undefined) this.writeNext();
    });
  }

  private textOf(synced: Written): Buffer {
    return textOf({ ...synced, deliveredBelow: this.progress.deliveredBelow });
  }
}

function textOf({ end, nextSequence, deliveredBelow }: Synced): Buffer {
  const bytes = Buffer.alloc(FILE_BYTES);
  const putNumber = (value: number, at: number): void => {
    bytes.writeUInt32LE(value % TWO_TO_32, at);
    bytes.writeUInt32LE(Math.floor(value / TWO_TO_32), at + 4);
  };
  bytes.writeUInt32LE(segmentOf(end), 4);
  bytes.writeUInt32LE(offsetOf(end), 8);
  putNumber(nextSequence, 12);
  putNumber(deliveredBelow, 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}
