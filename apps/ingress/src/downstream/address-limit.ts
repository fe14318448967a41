import { isIPv6 } from 'node:net';
import { Refusal } from '../pipeline/refusal.js';
import { Buckets, type Rate } from '../quota/gcra.js';

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
    const left = this.buckets.take(keyOf(address), this.rate, nowMs);
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

// One IPv6 customer holds at least a /64: addresses within it are one sender.
function keyOf(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [head = '', tail] = address.split('::', 2);
  const groups = head.split(':').filter((group) => group !== '');
  if (tail === undefined) return groups.slice(0, 4).join(':');
  const after = tail.split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - after.length) }, () => '0');
  return [...groups, ...zeros, ...after].slice(0, 4).join(':');
}
