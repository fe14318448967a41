import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CACHE = join(ROOT, 'node_modules/.cache/warder');
const NODE_WANTED = [20, 19];

/**
 * Makes the checkout ready to run: right Node, installed packages, built code. Says why in one line, and sets the exit
 * code, when it cannot.
 * @param {...string} targets - projects to build with what they refer to, such as `apps/standalone`
 * @returns {boolean} whether to go on
 */
export function prepare(...targets) {
  const problem = wrongNode() || install() || build(targets);
  if (!problem) return true;
  process.stderr.write(`warder: ${problem}\n`);
  process.exitCode = 1;
  return false;
}

function wrongNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantedMajor, wantedMinor] = NODE_WANTED;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return '';
  return `Node ${NODE_WANTED.join('.')} or later is needed, this is ${process.versions.node}`;
}

function install() {
  const lock = join(ROOT, 'package-lock.json');
  if (timeOf(join(ROOT, 'node_modules/.package-lock.json')) >= timeOf(lock)) return '';
  process.stderr.write('warder: installing packages (npm ci) ...\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, error } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  return status === 0 ? '' : `npm ci failed (${error ? error.message : `exit ${status}`}); the lines above say why`;
}

function build(targets) {
  const stamp = join(CACHE, `${targets.join('+').replace(/\W/g, '-')}.built`);
  if (isBuilt(targets, stamp)) return '';
  mkdirSync(CACHE, { recursive: true });
  const release = lock();
  try {
    // Whoever held the lock may have built it.
    if (isBuilt(targets, stamp)) return '';
    process.stderr.write('warder: building (tsc -b) ...\n');
    const startedAt = new Date();
    const compiler = join(ROOT, 'node_modules/@typescript/native/bin/tsc');
    const paths = targets.map((target) => join(ROOT, target));
    const { status } = spawnSync(process.execPath, [compiler, '-b', ...paths], { cwd: ROOT, stdio: ['ignore', 2, 2] });
    if (status !== 0) return `the build failed (tsc -b ${targets.join(' ')}); the lines above say why`;
    writeFileSync(stamp, '');
    // A source that changed during the build is newer than this.
    utimesSync(stamp, startedAt, startedAt);
    return '';
  } finally {
    release();
  }
}

function isBuilt(targets, stamp) {
  const hasOutput = (target) => ['main.js', 'index.js'].some((file) => existsSync(join(ROOT, target, 'dist', file)));
  return targets.every(hasOutput) && timeOf(stamp) > newestSource();
}

// Test suites run side by side and all want the build: two compilers must not write the same files.
function lock() {
  const file = join(CACHE, 'build.lock');
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isHeld(file)) rmSync(file, { force: true });
    else Atomics.wait(sleeper, 0, 0, 100);
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isHeld(file) {
  const pid = Number(readIfThere(file));
  // The number is written a moment after the file is made.
  if (pid === 0) return Date.now() - timeOf(file) < 5_000;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// Far cheaper than asking the compiler whether there is anything to do.
function newestSource() {
  let newest = timeOf(join(ROOT, 'tsconfig.base.json'));
  for (const group of ['apps', 'libs']) {
    for (const project of readdirSync(join(ROOT, group))) {
      const dir = join(ROOT, group, project);
      newest = Math.max(
        newest,
        timeOf(join(dir, 'package.json')),
        timeOf(join(dir, 'tsconfig.json')),
        newestIn(join(dir, 'src')),
      );
    }
  }
  return newest;
}

function newestIn(dir) {
  if (!existsSync(dir)) return 0;
  let newest = timeOf(dir);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name.endsWith('.spec.ts')) continue;
    const path = join(dir, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestIn(path) : timeOf(path));
  }
  return newest;
}

/** Milliseconds of the last change; 0 where there is nothing. */
function timeOf(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepare(...process.argv.slice(2));
