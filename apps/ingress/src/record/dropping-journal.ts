import { gapRecordText } from '@warder/journal';
import type { JournalWriter } from './recorder.js';

/** What is dropped, since the last gap record that told of it. */
interface Dropped {
  readonly fromMs: number;
  toMs: number;
  count: number;
  /** How often by what became of the operation: a refusal's code, or the outcome's word. */
  readonly codes: Map<string, number>;
}

export interface DroppingJournalParts {
  readonly node: string;
  readonly journal: JournalWriter;
  /** Whether operations go on unrecorded while the journal has no room; if not, they are refused. */
  readonly dropsWhenFull: boolean;
  readonly wallMs: () => number;
  /** Called for each record that is dropped. */
  readonly onDropped: (count: number) => void;
}

/** Intents that are in no journal have numbers below those of the ones that are. */
let lastDroppedIntent = 0;

/**
 * The journal, for an operator who rather loses records than calls (`journal.onFull: drop-and-count`): what it has no
 * room for goes on unrecorded and is counted, and one gap record tells of it when there is room again. What is written
 * strictly is refused in any case.
 */
export class DroppingJournal implements JournalWriter {
  private dropped: Dropped | undefined;

  constructor(private readonly parts: DroppingJournalParts) {}

  openIntent(intent: string, how: { strict?: boolean } = {}): { sequence: number; written: Promise<void> } {
    try {
      return this.parts.journal.openIntent(intent, how);
    } catch (error) {
      if (!this.drops(error, how)) throw error;
      return { sequence: --lastDroppedIntent, written: Promise.resolve() };
    }
  }

  async closeIntent(sequence: number, outcome: string, how: { strict?: boolean } = {}): Promise<void> {
    if (sequence < 0) this.count(codeOf(outcome));
    else await this.parts.journal.closeIntent(sequence, outcome, how);
  }

  async append(record: string, how: { strict?: boolean } = {}): Promise<number> {
    try {
      return await this.parts.journal.append(record, how);
    } catch (error) {
      if (!this.drops(error, how)) throw error;
      if (!isKept(error)) this.count(codeOf(record));
      return --lastDroppedIntent;
    }
  }

  /** Counts records that the journal did not take and nobody waits for. */
  count(code: string, count = 1): void {
    const nowMs = this.parts.wallMs();
    this.dropped ??= { fromMs: nowMs, toMs: nowMs, count: 0, codes: new Map() };
    this.dropped.toMs = nowMs;
    this.dropped.count += count;
    this.dropped.codes.set(code, (this.dropped.codes.get(code) ?? 0) + count);
    this.parts.onDropped(count);
  }

  /**
   * Tells of what was dropped, if there is room for it.
   * @returns how many records nothing tells of yet
   */
  async tell(): Promise<number> {
    const told = this.dropped;
    if (told === undefined) return 0;
    this.dropped = undefined;
    const { fromMs, toMs, count, codes } = told;
    const value = { count, fromMs, toMs, codes: Object.fromEntries(codes) };
    try {
      await this.parts.journal.append(gapRecordText({ node: this.parts.node, atMs: toMs, count, told: value }));
      return 0;
    } catch (error) {
      if (isKept(error)) return 0;
      this.keep(told);
      if (!(error instanceof Error) || error.name !== 'JournalFullError') throw error;
      return count;
    }
  }

  /** Puts back what could not be told, before what was dropped since. */
  private keep(untold: Dropped): void {
    const since = this.dropped;
    this.dropped = untold;
    if (since === undefined) return;
    untold.toMs = since.toMs;
    untold.count += since.count;
    for (const [code, count] of since.codes) untold.codes.set(code, (untold.codes.get(code) ?? 0) + count);
  }

  private drops(error: unknown, { strict = false }: { strict?: boolean }): boolean {
    return this.parts.dropsWhenFull && !strict && isFull(error);
  }
}

/** A journal that is closed takes nothing for another reason: its process ends. */
function isFull(error: unknown): error is Error & { reason: string } {
  return error instanceof Error && error.name === 'JournalFullError' && 'reason' in error && error.reason !== 'closed';
}

function isKept(error: unknown): boolean {
  return error instanceof Error && 'isKept' in error && error.isKept === true;
}

function codeOf(text: string): string {
  const { refusal, outcome } = JSON.parse(text) as { refusal: { code: string } | null; outcome: string };
  return refusal?.code ?? outcome;
}
