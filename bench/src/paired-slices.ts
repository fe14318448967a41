import { cpuTimeUs, residentMiB, untilQuiet } from './cpu-time.js';
import type { LoadReport } from './load-generator.js';
import { median, pairedRatio } from './statistics.js';

/** A process under load. */
export interface Measured {
  readonly name: string;
  readonly pid: number;
}

export interface SlicePlan {
  readonly rounds: number;
  readonly sliceMs: number;
}

/** All slices of one process. */
export interface Row {
  readonly name: string;
  readonly cpuUs: readonly number[];
  readonly reports: readonly LoadReport[];
  readonly rssMiB: number;
  /** Slices after which the process did not become quiet. */
  readonly restless: number;
}

/**
 * Gives each process a slice of load per round, in an order that is reversed every round, and takes its CPU time per
 * call, what it does behind the answers included. A machine's noise then falls on all alike.
 */
export async function pairedSlices(
  processes: readonly Measured[],
  plan: SlicePlan,
  load: (name: string, durationMs: number) => Promise<LoadReport>,
): Promise<Row[]> {
  const rows = new Map(
    processes.map(({ name }) => [name, { cpuUs: [] as number[], reports: [] as LoadReport[], restless: 0 }]),
  );
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const { name, pid } of round % 2 === 0 ? processes : [...processes].reverse()) {
      const row = rows.get(name);
      const before = cpuTimeUs(pid);
      const report = await load(name, plan.sliceMs);
      const isQuiet = await untilQuiet(pid);
      if (row === undefined) continue;
      row.cpuUs.push((cpuTimeUs(pid) - before) / report.answered);
      row.reports.push(report);
      if (!isQuiet) row.restless += 1;
    }
  }
  return processes.map(({ name, pid }) => {
    const { cpuUs, reports, restless } = rows.get(name) ?? { cpuUs: [], reports: [], restless: 0 };
    return { name, cpuUs, reports, restless, rssMiB: residentMiB(pid) };
  });
}

/** A row as a line of the printed table. */
export function describeRow(row: Row, reference: Row): string {
  const { cpuUs, reports } = row;
  const of = (pick: (report: LoadReport) => number): number => median(reports.map(pick));
  const sum = (pick: (report: LoadReport) => number): number => reports.reduce((total, each) => total + pick(each), 0);
  return [
    row.name.padEnd(24),
    `${median(cpuUs).toFixed(1)} [${Math.min(...cpuUs).toFixed(1)}..${Math.max(...cpuUs).toFixed(1)}]`.padEnd(24),
    pairedRatio(cpuUs, reference.cpuUs).toFixed(3).padStart(6),
    of(({ answered, seconds }) => answered / seconds)
      .toFixed(0)
      .padStart(7),
    `${(of(({ p50Us }) => p50Us) / 1_000).toFixed(2)} / ${(of(({ p99Us }) => p99Us) / 1_000).toFixed(2)}`.padStart(14),
    row.rssMiB.toFixed(0).padStart(5),
    String(sum(({ refused }) => refused)).padStart(8),
    String(sum(({ wrong }) => wrong)).padStart(6),
    String(row.restless).padStart(9),
  ].join('  ');
}

/** The line above them. */
export const ROW_HEAD = [
  'row'.padEnd(24),
  'CPU us/call [min..max]'.padEnd(24),
  'ratio'.padStart(6),
  'RPS'.padStart(7),
  'p50 / p99 ms'.padStart(14),
  'MiB'.padStart(5),
  'refused'.padStart(8),
  'wrong'.padStart(6),
  'restless'.padStart(9),
].join('  ');
