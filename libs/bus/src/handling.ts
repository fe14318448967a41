/** How long a group's handler has been at one batch. A handler that fails and is tried again is not stuck. */
export class Handling {
  /** When each running attempt began, the oldest first. */
  private readonly running = new Set<{ readonly begunAtMs: number }>();
  private endedAtMs = -Infinity;

  constructor(private readonly nowMs: () => number) {}

  /** Runs one attempt of the handler; attempts at batches of several partitions may run at once. */
  async run(work: () => Promise<void>): Promise<void> {
    const attempt = { begunAtMs: this.nowMs() };
    this.running.add(attempt);
    try {
      await work();
    } finally {
      this.running.delete(attempt);
      this.endedAtMs = this.nowMs();
    }
  }

  /** Milliseconds since the oldest running attempt began; 0 where none runs. */
  runningMs(): number {
    const [oldest] = this.running;
    return oldest === undefined ? 0 : this.nowMs() - oldest.begunAtMs;
  }

  /** Monotonic milliseconds at which the last attempt ended, now while one runs. */
  lastAtMs(): number {
    return this.running.size === 0 ? this.endedAtMs : this.nowMs();
  }
}
