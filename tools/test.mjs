// `npm test`: installs what is missing, builds what is stale (specs start built processes), then checks types, lint
// and form, then runs every spec. A check that fails does not keep the others from running; the last line says all.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';

const TARGETS = ['apps/standalone', 'apps/balancer', 'libs/testing'];
const CHECKS = [
  ['types', '@typescript/native/bin/tsc', '-p', 'tsconfig.check.json'],
  ['lint', 'oxlint/bin/oxlint', '--type-aware'],
  ['form', 'prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  ['specs', 'vitest/vitest.mjs', 'run'],
];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
if (prepare(...TARGETS)) {
  const verdicts = CHECKS.map(([name, script, ...options]) => {
    const startedAtMs = performance.now();
    const { status } = spawnSync(process.execPath, [`node_modules/${script}`, ...options], { stdio: 'inherit' });
    const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
    return { name, isGood: status === 0, seconds };
  });
  const words = verdicts.map(({ name, isGood, seconds }) => `${name} ${isGood ? 'good' : 'FAILED'} (${seconds} s)`);
  process.stdout.write(`\ntest: ${words.join(', ')}\n`);
  if (verdicts.some(({ isGood }) => !isGood)) process.exitCode = 1;
}
