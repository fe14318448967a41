// `npm test`: installs what is missing, builds what is stale (specs start built processes), then checks types, lint
// and form, then runs every spec. A check that fails does not keep the others from running; the last line says all.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';

const TARGETS = ['apps/standalone', 'apps/balancer', 'libs/testing'];
const reportFolder = mkdtempSync(join(tmpdir(), 'warder-test-'));
const reportFile = join(reportFolder, 'specs.json');
const CHECKS = [
  ['types', '@typescript/native/bin/tsc', '-p', 'tsconfig.check.json'],
  ['lint', 'oxlint/bin/oxlint', '--type-aware'],
  ['form', 'prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  ['specs', 'vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`],
];

// One line for each red test, after everything else: a log that is cut keeps its end.
function redLines() {
  if (!existsSync(reportFile)) return [];
  return JSON.parse(readFileSync(reportFile, 'utf8')).testResults.flatMap(({ name, message, assertionResults }) => {
    const failures = assertionResults.filter(({ status }) => status === 'failed');
    const file = relative(process.cwd(), name);
    if (failures.length === 0) return message === '' ? [] : [`${file}: ${firstLine(message)}`];
    return failures.map((test) => `${file}: ${test.fullName}: ${firstLine(test.failureMessages[0] ?? '')}`);
  });
}

function firstLine(text) {
  return text.split('\n', 1)[0].slice(0, 200);
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
if (prepare(...TARGETS)) {
  const verdicts = CHECKS.map(([name, script, ...options]) => {
    const startedAtMs = performance.now();
    const { status } = spawnSync(process.execPath, [`node_modules/${script}`, ...options], { stdio: 'inherit' });
    const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
    return { name, isGood: status === 0, seconds };
  });
  const words = verdicts.map(({ name, isGood, seconds }) => `${name} ${isGood ? 'good' : 'FAILED'} (${seconds} s)`);
  for (const line of redLines()) process.stdout.write(`red: ${line}\n`);
  process.stdout.write(`\ntest: ${words.join(', ')}\n`);
  if (verdicts.some(({ isGood }) => !isGood)) process.exitCode = 1;
}
rmSync(reportFolder, { recursive: true });
