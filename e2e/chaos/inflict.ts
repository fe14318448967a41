import { CallLoad } from '../call-load.js';
import { eventually } from '../wire-agent.js';
import type { ChaosScene } from './chaos-scene.js';
import { UP_TIMEOUT_MS } from './chaos-scene.js';
import type { Fault, IngressNode } from './fault-plan.js';

/** Bytes of an argument, below what a record keeps whole. */
const LARGE = 'x'.repeat(12_000);
const LARGE_PER_SECOND = 30;

/** Does one fault and undoes it, but for a clock, which stays back until the round ends. */
export async function inflict(chaos: ChaosScene, fault: Fault): Promise<void> {
  switch (fault.kind) {
    case 'kill':
      if (fault.service === 'kafka') return chaos.withoutBroker(() => sleep(fault.downMs));
      await chaos.scene.warder.service(fault.service).kill('SIGKILL');
      await sleep(fault.downMs);
      return chaos.up(fault.service);
    case 'broker-away':
      return chaos.withoutBroker(() => sleep(fault.forMs));
    case 'disk-full':
      return chaos.withoutBroker(() => untilRefused(chaos, fault.node));
    case 'disk-error': {
      const faults = chaos.faultsOf(fault.node);
      faults.set({ percent: fault.percent, on: fault.on });
      await sleep(fault.forMs);
      return faults.set({ percent: 0 });
    }
    case 'clock-back':
      return chaos.faultsOf(fault.service).set({ offsetMs: -fault.byMs });
    case 'duplicates': {
      const sent = await chaos.kafka.sendAgain(fault.times);
      if (sent === 0) throw new Error('there was nothing to send again');
    }
  }
}

/** Names of what a fault takes for itself: two faults of one name come one after the other. */
export function takenBy(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return fault.service;
    case 'disk-error':
      return `disk of ${fault.node}`;
    case 'clock-back':
      return `clock of ${fault.service}`;
    default:
      return 'kafka';
  }
}

/** Delivered segments make room again, so the disk stays full only while the broker is away. */
async function untilRefused(chaos: ChaosScene, node: IngressNode): Promise<void> {
  chaos.fillDisk(node);
  const load = new CallLoad([chaos.scene.agent(chaos.token, node)], LARGE_PER_SECOND, 'echo', { text: LARGE });
  const isRefused = async (): Promise<boolean> =>
    [...load.refusals.values()].some((text) => text.includes('WDR_JOURNAL_FULL'));
  try {
    await eventually(`${node} refuses calls, its disk being full`, isRefused, UP_TIMEOUT_MS);
  } finally {
    chaos.freeDisk(node);
    await load.stop();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
