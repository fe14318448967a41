import { performance } from 'node:perf_hooks';

/** Wall time for what leaves the process, monotonic time for what is measured in it; both in milliseconds. */
export interface Clock {
  wallMs(): number;
  monotonicMs(): number;
}

export const systemClock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
