import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';

/**
 * When the process began, in the system's own words, or `undefined` when it does not run. With its id this names a
 * process: an id alone is given to another one after a while.
 */
export function processStart(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  try {
    if (process.platform === 'linux') return linuxStart(pid);
    if (process.platform === 'win32') return 'running';
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Field 22 of proc(5) stat, in clock ticks since boot; a zombie has ended. */
function linuxStart(pid: number): string | undefined {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name in parentheses may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}
