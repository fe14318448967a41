import * as fs from 'node:fs';

/** The calls by which the writer changes files; a test puts a disk behind them that fails. */
export interface JournalFiles {
  /** @returns bytes written, which may be fewer */
  write(fd: number, bytes: Uint8Array, from: number, count: number, at: number): number;
  /** Off the loop, in the thread pool. */
  writeLater(fd: number, bytes: Uint8Array, at: number, done: (error: Error | null, written: number) => void): void;
  /** Off the loop: `done` once the file's bytes are on the disk. */
  dataSync(fd: number, done: (error: Error | null) => void): void;
  /** Blocks; only for starts and ends. */
  dataSyncNow(fd: number): void;
}

export const nodeFiles: JournalFiles = {
  write: (fd, bytes, from, count, at) => fs.writeSync(fd, bytes, from, count, at),
  writeLater: (fd, bytes, at, done) => fs.write(fd, bytes, 0, bytes.byteLength, at, done),
  dataSync: (fd, done) => fs.fdatasync(fd, done),
  dataSyncNow: (fd) => fs.fdatasyncSync(fd),
};

/** Writes all of `count` bytes, however few the disk takes at a time. @throws the disk's error */
export function writeAll(files: JournalFiles, fd: number, bytes: Uint8Array, at: number): void {
  for (let written = 0; written < bytes.byteLength;) {
    const count = files.write(fd, bytes, written, bytes.byteLength - written, at + written);
    if (count <= 0) throw new Error('the disk took no byte');
    written += count;
  }
}
