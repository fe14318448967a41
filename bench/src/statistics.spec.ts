import { describe, expect, it } from 'vitest';
import { median, pairedRatio, quantile } from './statistics.js';

describe('statistics', () => {
  it('takes the middle, between two where there are two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
  });

  it('cancels noise that both halves of a pair shared', () => {
    expect(pairedRatio([20, 40, 200], [10, 20, 100])).toBe(2);
  });

  it('refuses a pair without its half, and no values', () => {
    expect(() => pairedRatio([1], [])).toThrow(RangeError);
    expect(() => median([])).toThrow(RangeError);
  });
});
