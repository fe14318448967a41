/** Requests of one node that are remembered at a time. */
const SEEN_MAX = 50_000;

/**
 * Remembers which requests came, for as long as their time would still be accepted: none is answered twice. Each node has
 * its own, so that one which asks without end neither has others forgotten, nor has its own requests answered twice.
 */
export class SeenRequests {
  private readonly nodes = new Map<string, Map<string, number>>();

  /** @param keptMs - for how long a request is remembered */
  constructor(
    private readonly keptMs: number,
    private readonly seenMax = SEEN_MAX,
  ) {}

  /**
   * @param nowMs - wall milliseconds
   * @returns `full` where nothing more of the node can be remembered; what cannot be remembered is not answered
   */
  take(node: string, id: string, nowMs: number): 'new' | 'seen' | 'full' {
    const seen = this.nodes.get(node) ?? new Map<string, number>();
    for (const [oldest, atMs] of seen) {
      if (nowMs - atMs <= this.keptMs) break;
      seen.delete(oldest);
    }
    if (seen.has(id)) return 'seen';
    if (seen.size >= this.seenMax) return 'full';
    seen.set(id, nowMs);
    this.nodes.set(node, seen);
    return 'new';
  }
}
