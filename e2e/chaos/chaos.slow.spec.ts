import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START_TIMEOUT_MS } from '../shapes.js';
import { ChaosScene } from './chaos-scene.js';
import { planOf } from './fault-plan.js';
import { SETTLE_TIMEOUT_MS, tellRound } from './tell-round.js';

const LOAD_MS = 15_000;
const { CHAOS_ROUNDS = '20', CHAOS_SEED = '0', CHAOS_MINUTES_AWAY = '5' } = process.env;
const AWAY_MS = Number(CHAOS_MINUTES_AWAY) * 60_000;
const SEEDS = Array.from({ length: Number(CHAOS_ROUNDS) }, (_, round) => Number(CHAOS_SEED) + round);

describe('under chaos', () => {
  let chaos: ChaosScene;
  beforeAll(async () => {
    chaos = await ChaosScene.start();
    process.stdout.write(`a disk is made full by ${chaos.fullDisk}\n`);
  }, START_TIMEOUT_MS);
  afterAll(async () => chaos?.stop(), 120_000);

  it.each(SEEDS)(
    'everybody agrees about what happened, seed %i',
    async (seed) => {
      const { records } = await tellRound(chaos, planOf(seed, { awayMs: AWAY_MS, loadMs: LOAD_MS }));
      expect(records).toBeGreaterThan(100);
    },
    AWAY_MS + LOAD_MS + 3 * SETTLE_TIMEOUT_MS,
  );
});
