/**
 * Fails fast while an upstream is known to be away. After `openMs` one call at a time is let through to try it.
 * Times are monotonic milliseconds.
 */
export class Breaker {
  private failures = 0;
  private openUntilMs = 0;

  constructor(
    private readonly failuresMax: number,
    private readonly openMs: number,
  ) {}

  /** False while calls must fail at once. */
  permits(nowMs: number): boolean {
    if (this.failures < this.failuresMax) return true;
    if (nowMs < this.openUntilMs) return false;
    this.openUntilMs = nowMs + this.openMs;
    return true;
  }

  succeeded(): void {
    this.failures = 0;
  }

  failed(nowMs: number): void {
    this.failures += 1;
    if (this.failures >= this.failuresMax) this.openUntilMs = nowMs + this.openMs;
  }
}
