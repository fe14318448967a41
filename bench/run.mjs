// Installs what is missing, builds what is stale, then runs the bench: node bench/run.mjs gate|stub|journal|identity|propagation|leases|audit|audit-full|soak|eval|flow|adversarial|scan [options]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { prepare } from '../tools/prepare.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
if (!prepare('apps/ingress', 'apps/audit')) process.exit(1);
const build = spawnSync('npx', ['tsc', '-b', 'bench'], { cwd: root, stdio: ['ignore', 2, 2] });
if (build.status !== 0) process.exit(build.status ?? 1);
const [what, ...options] = process.argv.slice(2);
const AUDIT = 'dist/audit/main.js';
const IDENTITY = 'dist/identity/main.js';
const MAINS = {
  journal: 'dist/journal-append.js',
  identity: IDENTITY,
  propagation: 'dist/propagation/main.js',
  leases: 'dist/leases/main.js',
  audit: AUDIT,
  'audit-full': AUDIT,
  soak: AUDIT,
  eval: 'dist/guardrails/main.js',
  flow: 'dist/flow/main.js',
  adversarial: 'dist/guardrails/adversarial.js',
  scan: 'dist/guardrails/scan-bench.js',
};
const main = fileURLToPath(new URL(MAINS[what] ?? 'dist/main.js', import.meta.url));
const takesOptionsOnly = [
  'journal',
  'identity',
  'propagation',
  'leases',
  'eval',
  'flow',
  'adversarial',
  'scan',
].includes(what);
// Garbage is collected before heap is measured.
const args = ['--expose-gc', main, ...(takesOptionsOnly ? [] : [what]), ...options];
process.exit(spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1);
