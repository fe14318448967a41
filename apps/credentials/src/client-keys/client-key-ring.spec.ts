import { describe, expect, it } from 'vitest';
import { type ClientKeyRing, GENERATIONS_MAX, makeKeys, publicKeysOf, signingNow, turned } from './client-key-ring.js';

const TERMS = { aheadMs: 1_000, overlapMs: 500 };
const keys = await makeKeys();
const turn = (ring: ClientKeyRing | undefined, nowMs: number, isAtOnce = false): ClientKeyRing =>
  turned(ring, keys, { ...TERMS, nowMs, isAtOnce });
const told = (ring: ClientKeyRing, nowMs: number): number => publicKeysOf(ring, nowMs).length / 2;

describe('the ring of client keys', () => {
  it('tells of a key before it signs and after it signed', () => {
    const first = turn(undefined, 0);
    const [one] = first.generations;
    expect(signingNow(first, 0)).toBe(one);
    const second = turn(first, 10_000);
    const two = second.generations[1];
    expect([signingNow(second, 10_999).id, signingNow(second, 11_000).id]).toEqual([one?.id, two?.id]);
    expect([told(second, 10_000), told(second, 11_499), told(second, 11_500)]).toEqual([2, 2, 1]);
  });

  it('tells of no key any more that somebody else may know, and signs with the next at once', () => {
    const ring = turn(turn(undefined, 0), 10_000, true);
    expect(ring.generations).toHaveLength(1);
    expect(signingNow(ring, 10_000)).toBe(ring.generations[0]);
  });

  it('has one key that comes and a bounded number of those that went, however often it turns', () => {
    let ring = turn(undefined, 0);
    for (let at = 1; at < 100; at += 1) ring = turn(ring, at);
    expect(ring.generations.length).toBe(2);
    for (let at = 1; at < 20; at += 1) ring = turn(ring, at * 1_100);
    expect(ring.generations.length).toBeLessThanOrEqual(GENERATIONS_MAX);
  });

  it('tells nothing private', () => {
    for (const key of publicKeysOf(turn(undefined, 0), 0)) {
      expect(Object.keys(key).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi'].includes(name))).toEqual([]);
      expect(key).toMatchObject({ use: 'sig', kid: expect.stringMatching(/^[\w-]{8}-(RS|ES)256$/) });
    }
  });
});
