import { CallLoad } from '../call-load.js';
import type { ChaosScene } from './chaos-scene.js';
import type { RoundPlan } from './fault-plan.js';
import { inflict, takenBy } from './inflict.js';

/** What became of the calls of a round. */
export interface PlayedRound {
  /** How often each status came; 0: the connection was lost. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Calls to a disk that failed. */
  readonly failedDiskCalls: number;
}

const CLOCKS = ['ingress-1', 'ingress-2', 'audit'] as const;
/** So long a call is under way at its upstream, for a kill to meet it. */
const SLOW_MS = 300;
const SLOW_SHARE = 5;

/** Calls both nodes steadily while the plan's faults happen, and leaves everything up with its clock right. */
export async function playRound(chaos: ChaosScene, plan: RoundPlan): Promise<PlayedRound> {
  const failedBefore = failedCalls(chaos);
  const agents = chaos.scene.agents(chaos.token);
  const loads = [
    new CallLoad(agents, plan.perSecond, 'echo', { text: 'steady' }),
    new CallLoad(agents, plan.perSecond / SLOW_SHARE, 'slow', { ms: SLOW_MS }),
  ];
  const ended = sleep(plan.loadMs);
  const taken = new Map<string, Promise<void>>();
  try {
    for (const fault of plan.faults) {
      const name = takenBy(fault);
      const before = taken.get(name) ?? Promise.resolve();
      taken.set(
        name,
        Promise.all([before, sleep(fault.atMs)]).then(() => inflict(chaos, fault)),
      );
    }
    await Promise.all([ended, ...taken.values()]);
  } finally {
    await Promise.allSettled(taken.values());
    for (const load of loads) await load.stop();
    for (const service of CLOCKS) chaos.faultsOf(service).set({ offsetMs: 0 });
  }
  await chaos.serves();
  const statuses: Record<string, number> = {};
  for (const load of loads)
    for (const [status, count] of load.statuses) statuses[status] = (statuses[status] ?? 0) + count;
  return { statuses, failedDiskCalls: failedCalls(chaos) - failedBefore };
}

function failedCalls(chaos: ChaosScene): number {
  return chaos.faultsOf('ingress-1').failed + chaos.faultsOf('ingress-2').failed;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
