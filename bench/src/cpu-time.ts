import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time that a process has spent, all its threads together (garbage collector and workers count), in microseconds.
 * `/proc/<pid>/stat` counts in ticks of 10 ms, schedstat in nanoseconds.
 * @throws Error when the process is gone
 */
export function cpuTimeUs(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // A thread may end between the listing and the reading.
    }
  }
  return nanoseconds / 1_000;
}

/** Resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  const line = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1_024;
}

const LOOK_EVERY_MS = 30;
const QUIET_SHARE = 0.06;
const QUIET_LOOKS = 2;
const QUIET_TIMEOUT_MS = 4_000;

/**
 * Waits until a process has finished what it does behind the answers (a drain, a write-back): what it still spends
 * belongs to the calls before.
 * @returns false when it never became quiet within four seconds
 */
export async function untilQuiet(pid: number): Promise<boolean> {
  const stopAtMs = performance.now() + QUIET_TIMEOUT_MS;
  let quiet = 0;
  let before = cpuTimeUs(pid);
  while (performance.now() < stopAtMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const now = cpuTimeUs(pid);
    quiet = now - before < LOOK_EVERY_MS * 1_000 * QUIET_SHARE ? quiet + 1 : 0;
    if (quiet >= QUIET_LOOKS) return true;
    before = now;
  }
  return false;
}

const TICK_US = 10_000;

/**
 * CPU time that a process and the processes that it started have spent, in microseconds; of children that have ended
 * and were waited for, to a tick of 10 ms.
 * @throws Error when the process is gone
 */
export function familyCpuTimeUs(pid: number): number {
  // The name in parentheses may hold spaces; behind it the numbers begin with the state, the third field.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  const ended = (Number(fields[13]) + Number(fields[14])) * TICK_US;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + cpuTimeOrNone(Number(child)), ended + cpuTimeUs(pid));
}

function cpuTimeOrNone(pid: number): number {
  try {
    return cpuTimeUs(pid);
  } catch {
    // It ended between the listing and the reading, and is counted with those that have.
    return 0;
  }
}
