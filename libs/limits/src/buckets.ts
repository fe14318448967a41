/** A bucket's rate: one token every `emissionMs`, at most `burst` at once. */
export interface Rate {
  readonly emissionMs: number;
  readonly burst: number;
}

/**
 * Token buckets by key in one number each (GCRA): the theoretical arrival time of the next token. Bounded: buckets
 * that are full again are forgotten, and past the bound the oldest goes.
 */
export class Buckets {
  private readonly arrivals = new Map<string, number>();

  /** @param keysMax - buckets remembered at most */
  constructor(private readonly keysMax: number) {}

  /**
   * Takes one token.
   * @param nowMs - monotonic milliseconds
   * @returns tokens left, 0 and up; or, from an empty bucket, minus the milliseconds until there is one again
   */
  take(key: string, rate: Rate, nowMs: number): number {
    const { known, arrival, allowedAtMs } = this.next(key, rate, nowMs);
    const waitMs = waitOf(allowedAtMs - nowMs);
    if (waitMs > 0) return -waitMs;
    if (known === undefined && this.arrivals.size >= this.keysMax) this.makeRoom(nowMs);
    this.arrivals.set(key, arrival);
    return Math.floor((nowMs - allowedAtMs) / rate.emissionMs + 1e-9);
  }

  /** Milliseconds until there is a token to take, none being taken; 0: there is one. @param nowMs - as of `take` */
  waitMs(key: string, rate: Rate, nowMs: number): number {
    return waitOf(this.next(key, rate, nowMs).allowedAtMs - nowMs);
  }

  private next(
    key: string,
    rate: Rate,
    nowMs: number,
  ): { known: number | undefined; arrival: number; allowedAtMs: number } {
    const known = this.arrivals.get(key);
    const arrival = (known === undefined || known < nowMs ? nowMs : known) + rate.emissionMs;
    return { known, arrival, allowedAtMs: arrival - rate.burst * rate.emissionMs };
  }

  private makeRoom(nowMs: number): void {
    // A few from the oldest end: a full sweep at every newcomer would make a flood of addresses quadratic.
    let looked = 0;
    for (const [key, arrival] of this.arrivals) {
      if (looked > 0 && (looked >= 16 || this.arrivals.size < this.keysMax)) return;
      looked += 1;
      if (arrival <= nowMs || this.arrivals.size >= this.keysMax) this.arrivals.delete(key);
    }
  }
}

function waitOf(ms: number): number {
  // Less than a nanosecond is no wait but the rounding of sums: a full bucket of one would refuse at times.
  return ms > 1e-6 ? Math.max(1, Math.ceil(ms - 1e-6)) : 0;
}
