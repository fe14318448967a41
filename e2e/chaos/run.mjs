// `npm run chaos -- [--rounds N] [--seed S] [--minutes-away M]`: builds what is stale, plays rounds, ends with a verdict.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prepare } from '../../tools/prepare.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SEEDS = 1_000_000;
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % SEEDS) },
    'minutes-away': { type: 'string', default: '5' },
  },
});
const { rounds, seed, 'minutes-away': minutesAway } = values;
if (!/^[1-9]\d{0,4}$/.test(rounds) || !/^\d{1,9}$/.test(seed) || !/^\d{1,3}(\.\d+)?$/.test(minutesAway)) {
  process.stderr.write('usage: npm run chaos -- [--rounds 1..99999] [--seed 0..999999999] [--minutes-away 0..999]\n');
  process.exit(2);
}
if (!prepare('apps/standalone', 'apps/balancer', 'apps/cli', 'libs/testing')) process.exit(1);
const startedAtMs = performance.now();
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--config', 'e2e/chaos/vitest.config.ts'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHAOS_ROUNDS: rounds, CHAOS_SEED: seed, CHAOS_MINUTES_AWAY: minutesAway },
  },
);
const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
const verdict =
  status === 0 ? 'everybody agrees' : 'FAILED; the last seed above is the one: --rounds 1 --seed <it> plays it again';
process.stdout.write(`chaos: ${rounds} rounds from seed ${seed} in ${seconds} s: ${verdict}\n`);
process.exitCode = status ?? 1;
