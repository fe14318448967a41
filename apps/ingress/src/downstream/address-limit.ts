import { Buckets, type Rate } from '@warder/limits';
import { addressKey } from '@warder/service-host';
import { Refusal } from '../pipeline/refusal.js';

/** Requests per address before anyone is identified, so that guessing tokens and flooding have a price. */
export class AddressLimit {
  private readonly buckets: Buckets;
  private readonly rate: Rate;

  constructor(limits: { addressRequestsPerMinute: number; addressBurst: number; addressesMax: number }) {
    this.buckets = new Buckets(limits.addressesMax);
    this.rate = { emissionMs: 60_000 / limits.addressRequestsPerMinute, burst: limits.addressBurst };
  }

  /**
   * Takes one request from the address's bucket.
   * @param nowMs - monotonic milliseconds
   * @throws Refusal WDR_ADDRESS_LIMITED
   */
  take(address: string, nowMs: number): void {
    const left = this.buckets.take(addressKey(address), this.rate, nowMs);
    if (left >= 0) return;
    throw new Refusal(
      'WDR_ADDRESS_LIMITED',
      'Too many requests, try again later',
      'the bucket of the address is empty',
      {
        retryAfterMs: -left,
      },
    );
  }
}
