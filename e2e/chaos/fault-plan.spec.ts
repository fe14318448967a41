import { describe, expect, it } from 'vitest';
import { LEADING, planOf, planText } from './fault-plan.js';

const BOUNDS = { awayMs: 300_000, loadMs: 15_000 };
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

describe('the plan of a round', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(planOf(7, BOUNDS)).toEqual(planOf(7, BOUNDS));
    expect(new Set(SEEDS.map((seed) => planText(planOf(seed, BOUNDS)).replace(/^seed \d+/, ''))).size).toBe(200);
    expect(planText(planOf(11, BOUNDS))).toMatch(/^seed 11: \d+ calls\/s for 15000 ms; .*\d+ ms kill audit \d+/);
  });

  it('shows every kind of fault, and the end of every process, in as many seeds as there are of them', () => {
    for (const start of [0, 3, 1_000]) {
      const faults = LEADING.flatMap((_, n) => planOf(start + n, BOUNDS).faults);
      const kinds = ['kill', 'broker-away', 'disk-full', 'disk-error', 'clock-back', 'duplicates'];
      expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(kinds));
      const killed = faults.flatMap((fault) => (fault.kind === 'kill' ? [fault.service] : []));
      expect(new Set(killed)).toEqual(new Set(['ingress-1', 'ingress-2', 'audit', 'kafka', 'postgres']));
    }
  });

  it('begins its faults while there is load, in the order of their times, and the broker is away as long as it is told', () => {
    for (const seed of SEEDS) {
      const { faults } = planOf(seed, BOUNDS);
      expect(faults.length).toBeGreaterThanOrEqual(2);
      expect(faults).toEqual(faults.toSorted((one, other) => one.atMs - other.atMs));
      for (const { atMs } of faults) expect(atMs).toBeLessThan(BOUNDS.loadMs);
      const away = faults.flatMap((fault) => (fault.kind === 'broker-away' ? [fault.forMs] : []));
      expect(away).toEqual(seed % LEADING.length === LEADING.indexOf('broker-away') ? [300_000] : []);
    }
  });
});
