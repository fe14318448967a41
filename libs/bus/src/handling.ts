/** How long a group's handler has been at one batch. A handler that fails and is tried again is not stuck. */
export class Handling {
  private begunAtMs: number | undefined;
  private endedAtMs = -Infinity;

  constructor(private readonly nowMs: () => number) {}

  /** Runs one attempt of the handler. */
  async run(work: () => Promise<void>): Promise<void> {
    this.begunAtMs = this.nowMs();
    try {
      await work();
    } finally {
      this.begunAtMs = undefined;
      this.endedAtMs = this.nowMs();
    }
  }

  /** Milliseconds since the running attempt began; 0 where none runs. */
  runningMs(): number {
    return this.begunAtMs === undefined ? 0 : this.nowMs() - this.begunAtMs;
  }

  /** Monotonic milliseconds at which the last attempt ended, now while one runs. */
  lastAtMs(): number {
    return this.begunAtMs === undefined ? this.endedAtMs : this.nowMs();
  }
}
