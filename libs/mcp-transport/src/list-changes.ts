// A list's own lifetime is kept within these, or an upstream could have us ask it without pause.
const EXPIRY_MIN_MS = 30_000;
const EXPIRY_MAX_MS = 3_600_000;

/** Those who want to hear that an upstream's tools may have changed. */
export class ListChanges {
  private readonly listeners = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** Tells once after the lifetime that the upstream gave its list; 0 for none. */
  expireIn(ttlMs: number): void {
    clearTimeout(this.timer);
    if (ttlMs <= 0) return;
    this.timer = setTimeout(() => this.tell(), Math.min(EXPIRY_MAX_MS, Math.max(EXPIRY_MIN_MS, ttlMs))).unref();
  }

  close(): void {
    clearTimeout(this.timer);
    this.listeners.clear();
  }
}
