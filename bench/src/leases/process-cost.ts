import type { RunningService } from '@warder/testing';
import { cpuTimeUs, residentMiB } from '../cpu-time.js';

/** What a process cost for a time. */
export interface ProcessCost {
  readonly seconds: number;
  /** Of one CPU. */
  readonly cpuShare: number;
  readonly cpuMs: number;
  readonly residentMiB: number;
}

/** Measures a process, all its threads together, while something goes on. @throws Error where it does not run */
export async function costOf(service: RunningService, during: () => Promise<void>): Promise<ProcessCost> {
  const pid = pidOf(service);
  const [startMs, startUs] = [performance.now(), cpuTimeUs(pid)];
  await during();
  const [ms, us] = [performance.now() - startMs, cpuTimeUs(pid) - startUs];
  return { seconds: ms / 1_000, cpuShare: us / 1_000 / ms, cpuMs: us / 1_000, residentMiB: residentMiB(pid) };
}

export function pidOf({ pid, name }: RunningService): number {
  if (pid === undefined) throw new Error(`${name} does not run`);
  return pid;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** @throws Error naming what was waited for */
export async function until(what: string, isSo: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const stopAtMs = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > stopAtMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await pause(50);
  }
}
