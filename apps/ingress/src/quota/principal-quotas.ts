import type { CallLimit } from '@warder/contracts';
import type { Quotas } from '../pipeline/gateway.js';
import { Buckets, type Rate } from '@warder/limits';

/** One bucket per principal on this node, under the policy's limit of the moment. */
export class PrincipalQuotas implements Quotas {
  private buckets: Buckets;
  private limit: CallLimit | undefined;
  private rate: Rate = { emissionMs: 1, burst: 1 };

  /** @param principalsMax - buckets remembered at most */
  constructor(private readonly principalsMax: number) {
    this.buckets = new Buckets(principalsMax);
  }

  take(principalId: string, limit: CallLimit, nowMs: number): number {
    if (limit !== this.limit) this.learn(limit);
    return this.buckets.take(principalId, this.rate, nowMs);
  }

  private learn(limit: CallLimit): void {
    const isSame = limit.callsPerMinute === this.limit?.callsPerMinute && limit.burst === this.limit.burst;
    this.limit = limit;
    if (isSame) return;
    this.rate = { emissionMs: 60_000 / limit.callsPerMinute, burst: limit.burst };
    // What was taken at another rate says nothing at this one: a call a minute would weigh like a thousand.
    this.buckets = new Buckets(this.principalsMax);
  }
}
