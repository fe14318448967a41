export interface WatchdogSettings {
  readonly degradedAfterMs: number;
  readonly failClosedAfterMs: number | 'never';
}

/** How long identity may be silent, for a node that cannot hear a revocation must one day stop believing its replica. */
export class Watchdog {
  /** @param silenceMs - wall time in, milliseconds since identity was last heard out; Infinity: never */
  constructor(
    private readonly settings: WatchdogSettings,
    private readonly silenceMs: (nowMs: number) => number,
  ) {}

  /** Whether operators should be told. */
  isDegraded(nowMs: number): boolean {
    return this.silenceMs(nowMs) > this.settings.degradedAfterMs;
  }

  /** Whether nobody may be let in any more. */
  isClosed(nowMs: number): boolean {
    const { failClosedAfterMs } = this.settings;
    return failClosedAfterMs !== 'never' && this.silenceMs(nowMs) > failClosedAfterMs;
  }
}
