import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { headerOf, segmentNumbers, segmentPath } from './segment-file.js';

const MOVING_SUFFIX = '.moving';
const ASIDE_SUFFIX = '.aside';

/**
 * Gives each segment the name that its header tells, where files were put back in the wrong order. A second file of one
 * number is set aside, for nobody can say which one counts.
 * @returns how many files had another name
 * @throws the disk's error
 */
export function restoreNames(dir: string): number {
  let restored = 0;
  for (const name of readdirSync(dir)) if (name.endsWith(MOVING_SUFFIX)) restored += settle(dir, join(dir, name));
  for (const number of segmentNumbers(dir)) {
    // Each turn brings one file home, and what stood there here.
    for (let told = numberAt(dir, number); told !== undefined && told !== number; told = numberAt(dir, number)) {
      const here = segmentPath(dir, number);
      const home = segmentPath(dir, told);
      restored++;
      if (numberAt(dir, told) === told) {
        renameSync(here, here + ASIDE_SUFFIX);
        break;
      }
      const moving = home + MOVING_SUFFIX;
      renameSync(here, moving);
      if (existsSync(home)) renameSync(home, here);
      renameSync(moving, home);
    }
  }
  return restored;
}

/** Ends a move that a process did not. */
function settle(dir: string, path: string): number {
  const number = headerOf(path)?.number;
  const home = number === undefined ? undefined : segmentPath(dir, number);
  renameSync(path, home === undefined || existsSync(home) ? path.replace(MOVING_SUFFIX, ASIDE_SUFFIX) : home);
  return 1;
}

function numberAt(dir: string, number: number): number | undefined {
  const path = segmentPath(dir, number);
  return existsSync(path) ? headerOf(path)?.number : undefined;
}
