import { randomUUID } from 'node:crypto';
import {
  linkSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const FILE_PREFIX = 'owner-';
const BEAT_EVERY_MS = 5_000;
const SILENT_AFTER_MS = 30_000;

/** Who holds a log. Process ids mean something only within their `scope`. */
interface Owner {
  pid: number;
  startedAt: string;
  scope: string;
}

/**
 * Exclusive ownership of a directory that ends with its process, kill -9 included. Node has no flock: each owner makes
 * the file `owner-<n + 1>` by a hard link, which only one can, once the owner of `owner-<n>` is gone. A number is never
 * used again while the directory stands, so a process that looks late cannot take what another one took over.
 */
export class Ownership {
  private readonly timer: NodeJS.Timeout;
  /** Called once another process has taken the directory over, for it heard nothing of this one for too long. */
  onLost: () => void = () => {};

  private constructor(private readonly path: string) {
    this.timer = setInterval(() => this.beat(), BEAT_EVERY_MS);
    this.timer.unref();
  }

  /** The ownership of `dir`, or `undefined` while another process, or this one, holds it. */
  static take(dir: string): Ownership | undefined {
    const owners = readdirSync(dir)
      .filter((name) => name.startsWith(FILE_PREFIX))
      .map((name) => Number(name.slice(FILE_PREFIX.length)))
      .filter(Number.isSafeInteger)
      .sort((a, b) => a - b);
    const last = owners.at(-1) ?? 0;
    if (last > 0 && isHeld(join(dir, FILE_PREFIX + last))) return undefined;
    const path = join(dir, `${FILE_PREFIX}${last + 1}`);
    const draft = join(dir, `.${randomUUID()}`);
    writeFileSync(draft, JSON.stringify(thisProcess()), { mode: 0o600 });
    try {
      linkSync(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
      throw error;
    } finally {
      unlinkSync(draft);
    }
    for (const older of owners) unlinkSync(join(dir, FILE_PREFIX + older));
    return new Ownership(path);
  }

  /** Lets the next one take the directory at once. */
  release(): void {
    clearInterval(this.timer);
    try {
      // Not made anew: the file of an owner that was followed by another stays away.
      truncateSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** Ends the ownership of a directory that was removed. */
  forget(): void {
    clearInterval(this.timer);
  }

  private beat(): void {
    const now = new Date();
    try {
      utimesSync(this.path, now, now);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return;
      clearInterval(this.timer);
      this.onLost();
    }
  }
}

function thisProcess(): Owner {
  return { pid: process.pid, startedAt: startOf(process.pid), scope: processScope() };
}

function isHeld(path: string): boolean {
  let text: string;
  let silentMs: number;
  try {
    text = readFileSync(path, 'utf8');
    silentMs = Date.now() - statSync(path).mtimeMs;
  } catch {
    // Its owner was followed by another one this moment.
    return true;
  }
  if (text === '') return false;
  const owner = JSON.parse(text) as Owner;
  if (owner.scope !== processScope()) return silentMs < SILENT_AFTER_MS;
  return isAlive(owner.pid) && startOf(owner.pid) === owner.startedAt;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, so that a later one with the same id is not taken for it; empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in brackets, may hold spaces and brackets; the start time is the 20th field behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function processScope(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
