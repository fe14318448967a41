import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a process is told about its disk and its clock. */
export interface FaultControl {
  /** Milliseconds that its clock is ahead. */
  readonly offsetMs?: number;
  /** Of the journal's calls to the disk, how many fail with EIO. */
  readonly percent?: number;
  readonly on?: 'write' | 'sync' | 'both';
  /** Whether the journal's new files meet ENOSPC. */
  readonly isFull?: boolean;
}

const PRELOAD = fileURLToPath(new URL('process-faults.mjs', import.meta.url));

/** Faults inside one service, which live on in its next process: told by a file that its preload reads. */
export class ProcessFaults {
  private control: FaultControl = {};

  /** @param journalDir - where its disk can fail; nowhere without it */
  constructor(
    private readonly file: string,
    private readonly journalDir = '',
  ) {
    this.set({});
  }

  /** Variables of the service. */
  get environment(): Record<string, string> {
    return { NODE_OPTIONS: `--import=${PRELOAD}`, CHAOS_CONTROL: this.file, CHAOS_JOURNAL: this.journalDir };
  }

  /** Sets what is named and leaves the rest. */
  set(control: FaultControl): void {
    this.control = { ...this.control, ...control };
    writeFileSync(`${this.file}.next`, JSON.stringify(this.control));
    renameSync(`${this.file}.next`, this.file);
  }

  /** Calls to the disk that failed so far, in all processes of the service. */
  get failed(): number {
    const dir = dirname(this.file);
    const own = readdirSync(dir).filter(
      (name) => name.startsWith(`${basename(this.file)}.`) && name.endsWith('failed'),
    );
    return own.reduce((sum, name) => sum + Number(readFileSync(join(dir, name), 'utf8')), 0);
  }
}
