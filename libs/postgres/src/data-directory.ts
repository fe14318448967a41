import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { movedDirectory } from './moved-directory.js';
import { isAlive, OWNER_FILE, ownerIn, type ProcessOwner, readIfThere } from './directory-owner.js';
import { processStart } from './process-identity.js';
import { isReachableBy, type UnprivilegedUser } from './unprivileged-user.js';

const RECOVERY_MS = 30_000;
const DYING_MS = 1_000;
const SUN_PATH_BYTES = 107;
const SOCKET_NAME_BYTES = '/.s.PGSQL.65535.lock'.length;
/** The database's own role; only processes that reach the socket's directory can use it. */
export const DATABASE_USER = 'warder';

/** A data directory that this process holds. `cluster` is PostgreSQL's own directory in it. */
export interface DataDirectory {
  readonly base: string;
  readonly cluster: string;
}

/**
 * Takes the directory for this process: moved to where the database's user can reach it if need be (a file
 * `LOCATION` in it then says where), rid of a database that outlived a killed process, and made ready by initdb.
 * @throws Error in one sentence when it is unwritable or in use by another process
 */
export async function takeDataDirectory(
  wanted: string,
  user: UnprivilegedUser | undefined,
  initdb: (cluster: string) => void,
): Promise<DataDirectory> {
  const base = reachableDirectory(path.resolve(wanted), user);
  const cluster = path.join(base, 'db');
  await takeOwnership(base, cluster);
  if (!fs.existsSync(path.join(cluster, 'PG_VERSION'))) {
    // initdb killed half-way leaves a directory that it refuses to touch again.
    fs.rmSync(cluster, { recursive: true, force: true });
    const half = `${cluster}-new`;
    fs.rmSync(half, { recursive: true, force: true });
    initdb(half);
    fs.renameSync(half, cluster);
  }
  return { base, cluster };
}

/** Lets the next process have the directory. */
export function leaveDataDirectory(directory: DataDirectory): void {
  fs.rmSync(path.join(directory.base, OWNER_FILE), { force: true });
}

/**
 * A fresh directory for the socket: in the data directory, so that a killed process leaves nothing elsewhere, or in a
 * temporary one where the socket's path would not fit in 107 bytes (sun_path).
 */
export function makeSocketDirectory(base: string, user: UnprivilegedUser | undefined): string {
  const inside = path.join(base, 'socket');
  const isShort = Buffer.byteLength(inside) <= SUN_PATH_BYTES - SOCKET_NAME_BYTES;
  const directory = isShort ? inside : temporarySocketDirectory(user);
  if (isShort) {
    fs.rmSync(inside, { recursive: true, force: true });
    fs.mkdirSync(inside);
  }
  if (user !== undefined) fs.chownSync(directory, user.uid, user.gid);
  fs.chmodSync(directory, 0o700);
  return directory;
}

function temporarySocketDirectory(user: UnprivilegedUser | undefined): string {
  const parent = [os.tmpdir(), '/tmp'].find(
    (candidate) =>
      Buffer.byteLength(candidate) < 60 && (user === undefined || isReachableBy(user, path.join(candidate, '.'))),
  );
  return fs.mkdtempSync(path.join(parent ?? '/tmp', 'warder-pg-'));
}

function reachableDirectory(wanted: string, user: UnprivilegedUser | undefined): string {
  try {
    fs.mkdirSync(wanted, { recursive: true });
    fs.accessSync(wanted, fs.constants.W_OK);
  } catch (error) {
    throw new Error(`cannot write to the data directory ${wanted}`, { cause: error });
  }
  if (user === undefined) {
    fs.chmodSync(wanted, 0o700);
    return wanted;
  }
  const base = isReachableBy(user, path.join(wanted, '.')) ? wanted : movedDirectory(wanted);
  fs.chownSync(base, user.uid, user.gid);
  fs.chmodSync(base, 0o700);
  return base;
}

async function takeOwnership(base: string, cluster: string): Promise<void> {
  const file = path.join(base, OWNER_FILE);
  const mine = JSON.stringify({ pid: process.pid, start: processStart(process.pid) });
  while (!wasCreated(file, mine)) {
    const text = readIfThere(file);
    const owner = text === undefined ? undefined : ownerIn(text);
    if (owner !== undefined && !(await hasEnded(owner))) {
      throw new Error(`the data directory ${base} is in use by process ${owner.pid}`);
    }
    if (text !== undefined) removeIfUnchanged(file, text);
  }
  await endOrphan(base, cluster);
}

function wasCreated(file: string, text: string): boolean {
  try {
    fs.writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Two processes that start at once may judge the same stale file: neither may take the other's fresh one away. */
function removeIfUnchanged(file: string, text: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    fs.renameSync(file, aside);
    if (readIfThere(aside) !== text) fs.linkSync(aside, file);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  fs.rmSync(aside, { force: true });
}

/** A process that was killed a moment ago is still there for a moment. */
async function hasEnded(owner: ProcessOwner): Promise<boolean> {
  const lastMs = Date.now() + DYING_MS;
  while (isAlive(owner)) {
    if (owner.pid === process.pid || Date.now() > lastMs) return false;
    await delay(50);
  }
  return true;
}

/** A database whose owner was killed: asked to stop, waited for, and its socket's directory removed. */
async function endOrphan(base: string, cluster: string): Promise<void> {
  const file = path.join(cluster, 'postmaster.pid');
  if (!fs.existsSync(file)) return;
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  const pid = Number(lines[0]);
  const socketDirectory = lines[4] ?? '';
  if (Number.isInteger(pid) && pid > 1 && isDatabaseOf(pid, cluster)) {
    process.kill(pid, 'SIGINT');
  }
  const lastMs = Date.now() + RECOVERY_MS;
  while (isDatabaseOf(pid, cluster) || hasBackends(cluster)) {
    if (Date.now() > lastMs) {
      leaveDataDirectory({ base, cluster });
      throw new Error(`the database of ${base} (process ${pid}) outlived its owner and does not stop`);
    }
    await delay(50);
  }
  fs.rmSync(file, { force: true });
  if (path.basename(socketDirectory).startsWith('warder-pg-')) {
    fs.rmSync(socketDirectory, { recursive: true, force: true });
  }
}

/** Backends outlive a killed server for a moment, and without the lock file nothing keeps a new one from their data. */
function hasBackends(cluster: string): boolean {
  if (process.platform !== 'linux') return false;
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.some((pid) => isDatabaseOf(Number(pid), cluster));
}

function isDatabaseOf(pid: number, cluster: string): boolean {
  if (processStart(pid) === undefined) return false;
  if (process.platform === 'linux') {
    try {
      return fs.readlinkSync(`/proc/${pid}/cwd`) === fs.realpathSync(cluster);
    } catch {
      return false;
    }
  }
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(cluster);
  } catch {
    return false;
  }
}
