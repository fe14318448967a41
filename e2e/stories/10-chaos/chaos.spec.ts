import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChaosScene } from '../../chaos/chaos-scene.js';
import { planOf } from '../../chaos/fault-plan.js';
import { SETTLE_TIMEOUT_MS, tellRound } from '../../chaos/tell-round.js';
import { START_TIMEOUT_MS } from '../../shapes.js';

const BOUNDS = { awayMs: 5_000, loadMs: 8_000 };
/** A node that is killed and a disk that is full. */
const SEEDS = [20, 7];

describe('chaos, a few seeds of many', () => {
  let chaos: ChaosScene;
  beforeAll(async () => {
    chaos = await ChaosScene.start();
  }, START_TIMEOUT_MS);
  afterAll(async () => chaos?.stop(), 120_000);

  it.each(SEEDS)(
    'ledger, journals, Kafka, Postgres and every SIEM agree, seed %i',
    async (seed) => {
      const { records, entries } = await tellRound(chaos, planOf(seed, BOUNDS));
      expect([entries > 50, records >= entries]).toEqual([true, true]);
    },
    BOUNDS.loadMs + 3 * SETTLE_TIMEOUT_MS,
  );
});
