import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Ownership } from './ownership.js';

const REMOVED_PREFIX = '.removed-';

/** The directory of a log and the right to use it. */
export interface OwnedDirectory {
  /** `<node>/<id>`, the log's name in every record. */
  readonly name: string;
  readonly dir: string;
  readonly ownership: Ownership;
}

/** The node's newest log that no process holds, or a new one: an id is never used for two logs. */
export function takeOwnDirectory(journalDir: string, node: string): OwnedDirectory {
  if (!/^[\w-][\w.-]*$/.test(node))
    throw new RangeError(`'${node}' is no name of a node: letters, digits, '.', '_', '-'`);
  mkdirSync(join(journalDir, node), { recursive: true, mode: 0o700 });
  for (const id of subdirectories(join(journalDir, node)).reverse()) {
    const taken = take(journalDir, `${node}/${id}`);
    if (taken !== undefined) return taken;
  }
  const id = Date.now().toString(36).padStart(9, '0') + randomBytes(3).toString('hex');
  mkdirSync(join(journalDir, node, id), { mode: 0o700 });
  const taken = take(journalDir, `${node}/${id}`);
  if (taken === undefined) throw new Error(`the new journal directory ${node}/${id} was taken by another process`);
  return taken;
}

/** Every other log that no process holds any more; from now on this one does. */
export function takeAbandonedDirectories(journalDir: string): OwnedDirectory[] {
  const names = subdirectories(journalDir).flatMap((node) =>
    subdirectories(join(journalDir, node)).map((id) => `${node}/${id}`),
  );
  return names.flatMap((name) => take(journalDir, name) ?? []);
}

/** Removes a log that is wholly delivered. It leaves its place first, so that nobody opens what is half removed. */
export function removeDirectory(journalDir: string, { dir, ownership }: OwnedDirectory): void {
  const away = join(journalDir, REMOVED_PREFIX + randomBytes(6).toString('hex'));
  ownership.forget();
  renameSync(dir, away);
  rmSync(away, { recursive: true, force: true });
}

function take(journalDir: string, name: string): OwnedDirectory | undefined {
  const dir = join(journalDir, name);
  try {
    const ownership = Ownership.take(dir);
    return ownership && { name, dir, ownership };
  } catch (error) {
    // Another process adopted, delivered and removed it this moment.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function subdirectories(dir: string): string[] {
  try {
    const entries = readdirSync(dir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
