import { readFileSync } from 'node:fs';
import { isPinned } from '../processes.js';

/** Takes what a bench has found. */
export interface Report {
  readonly print: (line: string) => void;
  /** A target in words, and whether it was reached. */
  readonly check: (target: string, isReached: boolean) => void;
}

/** Prints what is found, and the targets at the end. */
export class PrintedReport implements Report {
  private readonly verdicts: string[] = [];

  constructor(private readonly write: (line: string) => void) {
    this.print(`Node ${process.version}, ${isPinned() ? 'pinned by taskset' : 'not pinned'}`);
  }

  readonly print = (line: string): void => this.write(`${line} [load ${load()}]`);

  readonly check = (target: string, isReached: boolean): void => {
    this.verdicts.push(`${target}: ${isReached ? 'reached' : 'not reached'}`);
  };

  /** Timings are the machine's as well: a target that is missed is told and fails nothing. */
  end(): void {
    for (const verdict of this.verdicts) this.write(verdict);
  }
}

/** Load average of the last minute: others may be at work on the machine. */
const load = (): string => readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '';
