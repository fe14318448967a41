/** Requests that are remembered at a time. */
const SEEN_MAX = 200_000;

/** Remembers which requests came, for as long as their time would still be accepted: none is answered twice. */
export class SeenRequests {
  private readonly seen = new Map<string, number>();

  constructor(private readonly keptMs: number) {}

  /** @param nowMs - wall milliseconds */
  isNew(id: string, nowMs: number): boolean {
    for (const [oldest, atMs] of this.seen) {
      if (nowMs - atMs <= this.keptMs && this.seen.size < SEEN_MAX) break;
      this.seen.delete(oldest);
    }
    if (this.seen.has(id)) return false;
    this.seen.set(id, nowMs);
    return true;
  }
}
