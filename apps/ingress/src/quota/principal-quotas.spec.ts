import { describe, expect, it } from 'vitest';
import { PrincipalQuotas } from './principal-quotas.js';

describe('the quota of a principal', () => {
  it('starts anew when the policy sets another rate, and goes on when it does not', () => {
    const quotas = new PrincipalQuotas(10);
    expect(quotas.take('ana', { callsPerMinute: 1, burst: 1 }, 0)).toBe(0);
    expect(quotas.take('ana', { callsPerMinute: 1, burst: 1 }, 0)).toBe(-60_000);
    expect(quotas.take('ana', { callsPerMinute: 600, burst: 2 }, 0)).toBe(1);
  });
});
