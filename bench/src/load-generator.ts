import { ClosedLoop, type SliceCounts } from './closed-loop.js';
import { type CallTarget, RequestTemplate } from './request-template.js';
import { quantile } from './statistics.js';
import { plannedCalls } from './workload.js';

// A process of its own, so that its work is not on the CPU account of what it measures. It is told by IPC what to do.

export type LoadOrder =
  | { readonly do: 'open'; readonly target: string; readonly at: CallTarget; readonly connections: number }
  | { readonly do: 'run'; readonly target: string; readonly durationMs: number };

/** What a slice comes to. */
export interface LoadReport extends Omit<SliceCounts, 'latenciesUs'> {
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const CALLS = 4_000;
const loops = new Map<string, ClosedLoop>();

async function obey(order: LoadOrder): Promise<LoadReport | 'opened'> {
  if (order.do === 'open') {
    const templates = plannedCalls(CALLS).map((call) => new RequestTemplate(call, order.at));
    const loop = new ClosedLoop(order.at.port, templates);
    await loop.open(order.connections);
    loops.set(order.target, loop);
    return 'opened';
  }
  const startMs = performance.now();
  const { latenciesUs, ...counts } = await (loops.get(order.target) as ClosedLoop).run(order.durationMs);
  const seconds = (performance.now() - startMs) / 1_000;
  return { ...counts, seconds, p50Us: quantile(latenciesUs, 0.5), p99Us: quantile(latenciesUs, 0.99) };
}

process.on('message', (order: LoadOrder) => {
  obey(order).then(
    (report) => process.send?.({ report }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
