// Installs what is missing, builds what is stale, then runs the bench: node bench/run.mjs gate|stub|journal [options]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { prepare } from '../tools/prepare.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
if (!prepare('apps/ingress')) process.exit(1);
const build = spawnSync('npx', ['tsc', '-b', 'bench'], { cwd: root, stdio: ['ignore', 2, 2] });
if (build.status !== 0) process.exit(build.status ?? 1);
const [what, ...options] = process.argv.slice(2);
const main = what === 'journal' ? ['dist/journal-append.js', ...options] : ['dist/main.js', what, ...options];
const args = [fileURLToPath(new URL(main[0], import.meta.url)), ...main.slice(1)];
process.exit(spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1);
