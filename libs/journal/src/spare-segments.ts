import { closeSync, openSync, readdirSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalLog } from './journal-options.js';
import type { LogProgress } from './log-progress.js';
import { usedPaths } from './segment-file.js';

const SUFFIX = '.spare';
const ZEROES = Buffer.alloc(1 << 20);

export interface SpareSegmentsOptions {
  readonly dir: string;
  readonly segmentBytes: number;
  readonly progress: LogProgress;
  readonly log: JournalLog;
}

/**
 * Files for the segments to come, with all their blocks on the disk: it is full here and not under a call, and a sync
 * has no new size to write down. A delivered segment's file is taken before a new one is filled.
 */
export class SpareSegments {
  private readonly ready: string[] = [];
  private made = 0;
  private preparing = 0;
  private isClosed = false;

  constructor(private readonly options: SpareSegmentsOptions) {
    const { dir, progress } = options;
    for (const name of readdirSync(dir)) if (name.endsWith(SUFFIX)) unlinkSync(join(dir, name));
    for (const _used of usedPaths(dir)) progress.addUsed(1);
  }

  get count(): number {
    return this.ready.length;
  }

  /** Bytes on disk, with those of the file that is being filled. */
  get bytes(): number {
    return (this.ready.length + this.preparing + this.options.progress.usedFiles) * this.options.segmentBytes;
  }

  /** Whether the next spare costs no room that is not taken already. */
  get canReuse(): boolean {
    return this.options.progress.usedFiles > 0;
  }

  /** Makes one now. Blocks. @throws the disk's error */
  add(): void {
    const path = this.nextPath();
    if (!this.reuse(path)) preallocateSync(path, this.options.segmentBytes);
    this.ready.push(path);
  }

  /** Sees to it that there will be one more. */
  prepare(): void {
    if (this.preparing > 0 || this.isClosed) return;
    const path = this.nextPath();
    if (this.reuse(path)) {
      this.ready.push(path);
      return;
    }
    this.preparing++;
    preallocate(path, this.options.segmentBytes)
      .then(
        () => {
          if (this.isClosed) return unlink(path);
          this.ready.push(path);
          return undefined;
        },
        (error: unknown) => {
          // The call that needs the room meets the same error and is refused with it.
          this.options.log.warn({ err: error }, 'the journal could not prepare a segment');
          return unlink(path);
        },
      )
      .catch((error: unknown) => this.options.log.debug({ error }, 'a spare segment could not be removed'))
      .finally(() => this.preparing--);
  }

  /** The next spare's path; `used` says that it has left it. */
  get next(): string {
    if (this.ready.length === 0) this.add();
    return this.ready[0]!;
  }

  used(): void {
    this.ready.shift();
  }

  /** Removes the next spare: the disk does not take it. */
  discard(): void {
    const path = this.ready.shift();
    try {
      if (path !== undefined) unlinkSync(path);
    } catch (error) {
      this.options.log.debug({ error }, 'a spare segment could not be removed');
    }
  }

  close(): void {
    this.isClosed = true;
    for (const spare of this.ready.splice(0)) unlinkSync(spare);
  }

  private nextPath(): string {
    return join(this.options.dir, `${this.made++}${SUFFIX}`);
  }

  private reuse(path: string): boolean {
    const { dir, progress, segmentBytes } = this.options;
    if (progress.usedFiles === 0) return false;
    for (const used of usedPaths(dir)) {
      progress.addUsed(-1);
      // The setting may have changed since, and a damaged file may be short.
      if (statSync(used).size === segmentBytes) {
        renameSync(used, path);
        return true;
      }
      unlinkSync(used);
    }
    return false;
  }
}

function preallocateSync(path: string, bytes: number): void {
  const fd = openSync(path, 'w');
  try {
    for (let at = 0; at < bytes;) at += writeSync(fd, ZEROES, 0, Math.min(ZEROES.length, bytes - at), at);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

async function preallocate(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < bytes;) {
      at += (await file.write(ZEROES, 0, Math.min(ZEROES.length, bytes - at), at)).bytesWritten;
    }
    // Or the first sync of a frame would wait for all of these.
    await file.datasync();
  } finally {
    await file.close();
  }
}
