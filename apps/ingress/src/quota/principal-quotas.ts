import type { CallLimit } from '@warder/contracts';
import type { Quotas } from '../pipeline/gateway.js';
import { Buckets, type Rate } from './gcra.js';

/** One bucket per principal on this node, under the policy's limit of the moment. */
export class PrincipalQuotas implements Quotas {
  private readonly buckets: Buckets;
  private limit: CallLimit | undefined;
  private rate: Rate = { emissionMs: 1, burst: 1 };

  /** @param principalsMax - buckets remembered at most */
  constructor(principalsMax: number) {
    this.buckets = new Buckets(principalsMax);
  }

  take(principalId: string, limit: CallLimit, nowMs: number): number {
    if (limit !== this.limit) {
      this.limit = limit;
      this.rate = { emissionMs: 60_000 / limit.callsPerMinute, burst: limit.burst };
    }
    return this.buckets.take(principalId, this.rate, nowMs);
  }
}
