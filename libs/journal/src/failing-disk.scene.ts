import { type JournalFiles, nodeFiles } from './journal-files.js';

/** A disk between the journal and Node's: it fails, takes little at a time, or keeps its syncs waiting, as it is told. */
export class FailingDisk implements JournalFiles {
  /** Errors of the next writes and syncs, one each. */
  readonly writeErrors: string[] = [];
  readonly syncErrors: string[] = [];
  /** Bytes that one write takes at most. */
  takesBytes = Number.MAX_SAFE_INTEGER;
  /** While set, syncs wait for `release`. */
  isHolding = false;
  /** Descriptors that were synced, in order, the failed ones with a minus sign. */
  readonly synced: number[] = [];
  private held: (() => void)[] = [];

  write(fd: number, bytes: Uint8Array, from: number, count: number, at: number): number {
    const code = this.writeErrors.shift();
    if (code !== undefined) throw errorOf(code);
    return nodeFiles.write(fd, bytes, from, Math.min(count, this.takesBytes), at);
  }

  writeLater(fd: number, bytes: Uint8Array, at: number, done: (error: Error | null, written: number) => void): void {
    nodeFiles.writeLater(fd, bytes, at, done);
  }

  dataSync(fd: number, done: (error: Error | null) => void): void {
    const run = (): void => {
      const code = this.syncErrors.shift();
      this.synced.push(code === undefined ? fd : -fd);
      if (code === undefined) nodeFiles.dataSync(fd, done);
      else setImmediate(() => done(errorOf(code)));
    };
    if (this.isHolding) this.held.push(run);
    else run();
  }

  dataSyncNow(fd: number): void {
    nodeFiles.dataSyncNow(fd);
  }

  get heldSyncs(): number {
    return this.held.length;
  }

  release(): void {
    this.isHolding = false;
    for (const run of this.held.splice(0)) run();
  }
}

function errorOf(code: string): Error {
  return Object.assign(new Error(`${code}: the disk was told to fail`), { code });
}
