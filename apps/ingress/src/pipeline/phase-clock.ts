/** The phases of an operation, in the order in which they end. */
export type Phase =
  | 'identify'
  | 'quota'
  | 'resolve'
  | 'authorize'
  | 'screenRequest'
  | 'credential'
  | 'record'
  | 'upstream'
  | 'screenResponse';

/** The phases that a call which reached its upstream and was answered went through. */
export const CALL_PHASES: readonly Phase[] = [
  'identify',
  'quota',
  'resolve',
  'authorize',
  'screenRequest',
  'credential',
  'record',
  'upstream',
  'screenResponse',
];

/** Stamps how long each phase took. The time of a phase that refused stands under the refusal's own name in `total`. */
export class PhaseClock {
  private readonly startedAtMs: number;
  private lastAtMs: number;
  private members = '';

  /** @param clock - its monotonic milliseconds have a fraction */
  constructor(private readonly clock: { monotonicMs(): number }) {
    this.startedAtMs = this.lastAtMs = clock.monotonicMs();
  }

  /** Ends a phase: it took the time since the phase before it ended. */
  end(phase: Phase): void {
    const nowMs = this.clock.monotonicMs();
    this.members += `"${phase}":${Math.round((nowMs - this.lastAtMs) * 1_000)},`;
    this.lastAtMs = nowMs;
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
