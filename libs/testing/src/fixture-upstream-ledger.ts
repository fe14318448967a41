import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/** One call that the fixture executed. */
export interface LedgerEntry {
  readonly nonce: string | null;
  readonly tool: string;
  /** Whose token the call carried, where the upstream asks for one. */
  readonly account?: string;
}

/** What really happened, as told by the upstream itself: a line per executed call, on the disk before its answer. */
export class FixtureLedger {
  private readonly file: number | undefined;
  private readonly entries: LedgerEntry[] = [];

  /** @param path - appended to; without one the ledger is in memory only */
  constructor(path: string | undefined) {
    this.file = path === undefined ? undefined : openSync(path, 'a', 0o600);
  }

  write(entry: LedgerEntry): void {
    this.entries.push(entry);
    if (this.file === undefined) return;
    writeSync(this.file, `${JSON.stringify(entry)}\n`);
    fsyncSync(this.file);
  }

  read(): readonly LedgerEntry[] {
    return this.entries;
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
  }
}

/** Reads a ledger file of any fixture, a killed one's too: a line that was cut is left out. */
export function readLedger(path: string): LedgerEntry[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LedgerEntry);
}
