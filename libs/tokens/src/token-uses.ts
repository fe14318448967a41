import { TOKEN_USES_MAX, type TokenUse, type TokenUsed } from '@warder/contracts';

export interface TokenUsesBounds {
  /** Milliseconds in which one use of a token is told. */
  readonly everyMs: number;
  /** Tokens whose uses are looked at; those past the bound are counted. */
  readonly tokensMax: number;
}

const BOUNDS: TokenUsesBounds = { everyMs: 60_000, tokensMax: 100_000 };

/** Which tokens were used at this node, sampled: noting a use costs one look-up, and no call waits for its telling. */
export class TokenUses {
  /** When each token's last use was taken down, wall milliseconds. */
  private readonly takenAtMs = new Map<string, number>();
  private waiting = new Map<string, number>();
  private isTelling = false;
  /** Uses that were not taken down for want of room. */
  lost = 0;

  /** @param publish - takes one message; rejects where the bus does not */
  constructor(
    private readonly node: string,
    private readonly publish: (used: TokenUsed) => Promise<void>,
    private readonly bounds: TokenUsesBounds = BOUNDS,
  ) {}

  /** Takes down a use, unless one of the same token was within the time. @param atMs - wall milliseconds */
  note(tokenId: string, atMs: number): void {
    const taken = this.takenAtMs.get(tokenId);
    if (taken !== undefined && atMs - taken < this.bounds.everyMs) return;
    if (taken === undefined && this.takenAtMs.size >= this.bounds.tokensMax) {
      this.lost += 1;
      return;
    }
    this.takenAtMs.set(tokenId, atMs);
    this.waiting.set(tokenId, atMs);
  }

  /**
   * Tells what was taken down since the last time; what the bus does not take waits for the next one. Call it every
   * few seconds, and at the end.
   * @param nowMs - wall milliseconds
   */
  async tell(nowMs: number): Promise<void> {
    // A token whose time is over is taken down again at its next use, so there is nothing to remember of it.
    for (const [tokenId, atMs] of this.takenAtMs) {
      if (nowMs - atMs >= this.bounds.everyMs && !this.waiting.has(tokenId)) this.takenAtMs.delete(tokenId);
    }
    if (this.isTelling || this.waiting.size === 0) return;
    this.isTelling = true;
    const told = [...this.waiting].map(([tokenId, atMs]): TokenUse => ({ tokenId, atMs }));
    this.waiting = new Map();
    try {
      while (told.length > 0) {
        await this.publish({ node: this.node, uses: told.slice(0, TOKEN_USES_MAX) });
        told.splice(0, TOKEN_USES_MAX);
      }
    } finally {
      // Of a token that was used again meanwhile the later use is the one to tell.
      for (const { tokenId, atMs } of told) if (!this.waiting.has(tokenId)) this.waiting.set(tokenId, atMs);
      this.isTelling = false;
    }
  }
}
