import { hashOf, newRun, type Run } from '@warder/flow';

export interface RunBounds {
  /** Runs that are remembered at a time. */
  readonly runsMax: number;
  /** Hashed values of all runs together, at about 100 bytes each; exceeded by what one call brings. */
  readonly valuesMax: number;
}

/** A run and how long it is kept. */
export interface Kept {
  readonly run: Run;
  readonly name: string;
  usedAtMs: number;
  windowMs: number;
  /** A call that named no run has read something: which of the named ones it belongs to nobody can tell. */
  isMixed: boolean;
  /** Values that are counted in the sum of all. */
  counted: number;
}

/** The runs that a call belongs to: its client's, and inside of it the one that the client names. */
export interface FoundRun {
  /** What the call is decided on. */
  readonly run: Run;
  /** Keyed hash that names it. */
  readonly name: string;
  /** Both where they differ: whatever is seen taints both. */
  readonly all: readonly Kept[];
}

/**
 * Runs in memory of the node. A run ends `windowMs` after its last call. One that has to go before that, for there are
 * too many, is not taken for clean when it comes again: for as long as it would have lived every run that is not held
 * counts as unknown.
 */
export class RunStore {
  private readonly runs = new Map<string, Kept>();
  private forgottenUntilMs = 0;
  private values = 0;

  constructor(
    private readonly key: string,
    private readonly bounds: RunBounds,
    /** Whether what other nodes saw may be missing. */
    private readonly isBehind: () => boolean,
  ) {}

  get size(): number {
    return this.runs.size;
  }

  /**
   * @param base - names principal, client and virtual server
   * @param hint - what the client calls its run. It can only narrow: one that is new, while its client's run has read
   *   something, starts with all of that, so that changing it sheds nothing
   * @param nowMs - monotonic
   */
  find(base: string, hint: string | undefined, windowMs: number, nowMs: number): FoundRun {
    const outer = this.keep(hashOf(this.key, `run:${base}`), windowMs, nowMs, undefined);
    if (hint === undefined) return this.found(outer, [outer]);
    if (outer.isMixed) return this.found(outer, [outer]);
    const inner = this.keep(hashOf(this.key, `run:${base}\0${hint}`), windowMs, nowMs, outer.run);
    return this.found(inner, [outer, inner]);
  }

  /**
   * A run of that name as a node saw it.
   * @param isMixed - whether the call named no run, though it may belong to one
   * @param nowMs - monotonic
   */
  ofNode(name: string, isMixed: boolean, windowMs: number, nowMs: number): Run {
    const kept = this.keep(name, windowMs, nowMs, undefined);
    kept.isMixed ||= isMixed;
    return kept.run;
  }

  private found(kept: Kept, all: readonly Kept[]): FoundRun {
    // Read anew by each call: a bus that comes back makes runs known again that were never forgotten.
    const run = this.isBehind() && !kept.run.isUnknown ? { ...kept.run, isUnknown: true } : kept.run;
    return { run, name: kept.name, all };
  }

  private keep(name: string, windowMs: number, nowMs: number, outer: Run | undefined): Kept {
    const known = this.runs.get(name);
    this.runs.delete(name);
    const isLive = known !== undefined && nowMs - known.usedAtMs < known.windowMs;
    const kept: Kept = isLive
      ? known
      : { run: this.begin(outer, nowMs), name, usedAtMs: nowMs, windowMs, isMixed: false, counted: 0 };
    kept.usedAtMs = nowMs;
    kept.windowMs = windowMs;
    this.runs.set(name, kept); // the one that was used last stands last
    this.values += kept.run.values.size - kept.counted;
    kept.counted = kept.run.values.size;
    while (this.runs.size > this.bounds.runsMax || (this.values > this.bounds.valuesMax && this.runs.size > 1))
      this.dropOldest(nowMs);
    return kept;
  }

  private begin(outer: Run | undefined, nowMs: number): Run {
    const run = newRun();
    run.isUnknown = nowMs < this.forgottenUntilMs;
    if (outer === undefined) return run;
    run.bits = outer.bits;
    run.isUnknown ||= outer.isUnknown;
    run.sources.push(...outer.sources);
    for (const [value, at] of outer.values) run.values.set(value, at);
    return run;
  }

  private dropOldest(nowMs: number): void {
    const [oldest] = this.runs.values();
    if (oldest === undefined) return;
    this.runs.delete(oldest.name);
    this.values -= oldest.counted;
    const isTainted = oldest.run.bits !== 0 || oldest.run.isUnknown;
    if (isTainted) this.forgottenUntilMs = Math.max(this.forgottenUntilMs, oldest.usedAtMs + oldest.windowMs, nowMs);
  }
}
