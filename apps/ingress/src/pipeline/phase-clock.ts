/** The phases of an operation, in the order in which they end. */
export type Phase =
  | 'identify'
  | 'quota'
  | 'resolve'
  | 'authorize'
  | 'run'
  | 'screenRequest'
  | 'flow'
  | 'credential'
  | 'providersRequest'
  | 'approval'
  | 'record'
  | 'upstream'
  | 'screenResponse'
  | 'providersResponse';

/** The phases that each call which reached its upstream and was answered went through; providers are asked by few. */
export const CALL_PHASES: readonly Phase[] = [
  'identify',
  'quota',
  'resolve',
  'authorize',
  'run',
  'screenRequest',
  'flow',
  'credential',
  'approval',
  'record',
  'upstream',
  'screenResponse',
];

/** Stamps how long each phase took. */
export class PhaseClock {
  private readonly startedAtMs: number;
  private lastAtMs: number;
  private members = '';
  private ended = 0;

  /** @param clock - its monotonic milliseconds have a fraction */
  constructor(private readonly clock: { monotonicMs(): number }) {
    this.startedAtMs = this.lastAtMs = clock.monotonicMs();
  }

  /** Ends a phase: it took the time since the phase before it ended. */
  end(phase: Phase): void {
    const nowMs = this.clock.monotonicMs();
    this.members += `"${phase}":${Math.round((nowMs - this.lastAtMs) * 1_000)},`;
    this.lastAtMs = nowMs;
    if (phase === CALL_PHASES[this.ended]) this.ended += 1;
  }

  /** Ends the phase in which a call was stopped: the one that would have ended next. */
  endUnfinished(): void {
    const phase = CALL_PHASES[this.ended];
    if (phase !== undefined) this.end(phase);
  }

  /** Milliseconds since the operation came in. */
  elapsedMs(): number {
    return this.clock.monotonicMs() - this.startedAtMs;
  }

  /** JSON text of every phase that ended and of the total, in whole microseconds. */
  json(): string {
    return `{${this.members}"total":${Math.round(this.elapsedMs() * 1_000)}}`;
  }
}
