/** After so many failures in a row it is open for a while; then it lets one try through at a time. Monotonic milliseconds. */
export class CircuitBreaker {
  private failures = 0;
  private openUntilMs = -Infinity;
  private isTrying = false;

  constructor(private readonly bounds: { readonly failures: number; readonly openMs: number }) {}

  get isOpen(): boolean {
    return this.failures >= this.bounds.failures;
  }

  /** Whether a question may be asked; whoever is let through tells how it went. */
  admits(nowMs: number): boolean {
    if (!this.isOpen) return true;
    if (nowMs < this.openUntilMs || this.isTrying) return false;
    this.isTrying = true;
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.isTrying = false;
  }

  failed(nowMs: number): void {
    this.failures += 1;
    this.isTrying = false;
    if (this.isOpen) this.openUntilMs = nowMs + this.bounds.openMs;
  }

  /** The question was given up by whoever asked it: nothing is known of the provider. */
  abandoned(): void {
    this.isTrying = false;
  }
}
