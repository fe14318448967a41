import { describe, expect, it } from 'vitest';
import { Buckets } from './buckets.js';

describe('a bucket', () => {
  const rate = { emissionMs: 100, burst: 3 };

  it('gives its burst at once, then one token per interval, and says how long to wait', () => {
    const buckets = new Buckets(10);
    expect([0, 0, 0].map((nowMs) => buckets.take('ana', rate, nowMs))).toEqual([2, 1, 0]);
    expect(buckets.take('ana', rate, 0)).toBe(-100);
    expect(buckets.take('ana', rate, 60)).toBe(-40);
    expect(buckets.take('ana', rate, 100)).toBe(0);
  });

  it('says how long to wait without anything being taken', () => {
    const buckets = new Buckets(10);
    expect([buckets.waitMs('ana', rate, 0), buckets.waitMs('ana', rate, 0)]).toEqual([0, 0]);
    for (let taken = 0; taken < 3; taken += 1) buckets.take('ana', rate, 0);
    expect([0, 60, 99.9, 100].map((nowMs) => buckets.waitMs('ana', rate, nowMs))).toEqual([100, 40, 1, 0]);
    expect(buckets.take('ana', rate, 100)).toBe(0);
  });

  it('costs nobody else anything', () => {
    const buckets = new Buckets(10);
    for (let taken = 0; taken < 5; taken += 1) buckets.take('ana', rate, 0);
    expect(buckets.take('bo', rate, 0)).toBe(2);
  });

  it('is never fuller than its burst, however long it rests', () => {
    const buckets = new Buckets(10);
    buckets.take('ana', rate, 0);
    expect(buckets.take('ana', rate, 1_000_000)).toBe(2);
  });

  it('gives its one token while it is full, at whatever fraction of a millisecond', () => {
    for (let at = 0; at < 1_000; at += 1) {
      const nowMs = 1_193.149624 + at * 0.013;
      const buckets = new Buckets(10);
      const perMinute = { emissionMs: 60_000, burst: 1 };
      expect([buckets.take('ana', perMinute, nowMs), buckets.take('ana', perMinute, nowMs)]).toEqual([0, -60_000]);
    }
  });

  it('is forgotten, the oldest first, past the bound of keys', () => {
    const buckets = new Buckets(2);
    for (const key of ['a', 'a', 'a', 'b', 'c']) buckets.take(key, rate, 0);
    expect(buckets.take('a', rate, 0)).toBe(2);
  });
});
