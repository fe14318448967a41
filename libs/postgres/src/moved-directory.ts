import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { isAlive, OWNER_FILE, ownerIn, readIfThere } from './directory-owner.js';
import { reachableRoot } from './unprivileged-user.js';

const LOCATION_FILE = 'LOCATION';
const ORIGIN_FILE = 'ORIGIN';
const PREFIX = 'postgres-data-';

/**
 * Where the data of a directory live that the database's user cannot reach. The place stands in the directory itself
 * (`LOCATION`), so that a deleted data directory means a new database and not the old one.
 * @throws Error in one sentence when it names a place that is gone
 */
export function movedDirectory(wanted: string): string {
  const root = reachableRoot();
  const file = path.join(wanted, LOCATION_FILE);
  const known = readIfThere(file)?.trim();
  if (known !== undefined) {
    if (path.dirname(known) === root && fs.existsSync(known)) return known;
    throw new Error(`${file} names ${known}, where no database is; put it back or delete the file for a new one`);
  }
  sweepTemporary(root);
  const made = path.join(root, PREFIX + randomBytes(8).toString('hex'));
  fs.mkdirSync(made, { mode: 0o700 });
  fs.writeFileSync(path.join(made, ORIGIN_FILE), wanted);
  fs.writeFileSync(file, `${made}\n`);
  return made;
}

/** Data of directories that stood under the temporary one and are gone; all others may come back with their disk. */
function sweepTemporary(root: string): void {
  for (const name of fs.readdirSync(root).filter((each) => each.startsWith(PREFIX))) {
    const directory = path.join(root, name);
    const origin = readIfThere(path.join(directory, ORIGIN_FILE));
    if (origin === undefined || !origin.startsWith(os.tmpdir() + path.sep) || fs.existsSync(origin)) continue;
    const owner = ownerIn(readIfThere(path.join(directory, OWNER_FILE)) ?? '');
    if (owner === undefined || !isAlive(owner)) fs.rmSync(directory, { recursive: true, force: true });
  }
}
