import { createKafkaBus, type BusLog } from '@warder/bus';
import { startKafkaBroker } from '@warder/testing';
import { randomBytes } from 'node:crypto';
import { startIngress } from './ingress-process.js';
import { feedState } from './state-feeder.js';
import type { Target } from './target.js';
import { VIRTUAL_SERVER } from './workload.js';

const QUIET: BusLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Where gateways are started, and who ends what was started. */
export interface GatewayScene {
  readonly dir: string;
  readonly upstreamPort: number;
  /** Run last first. */
  readonly closers: (() => Promise<void>)[];
}

/** Starts a broker, the state's feeder and two ingress nodes: one whose drain is paused, one that drains. */
export async function startGateways(
  names: { readonly paused: string; readonly draining: string },
  nodeArgs: readonly string[],
  { dir, upstreamPort, closers }: GatewayScene,
): Promise<Target[]> {
  const broker = await startKafkaBroker();
  closers.push(() => broker.stop());
  const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
  const bus = createKafkaBus({ node: 'bench-feeder', service: 'identity', brokers: broker.brokers, log: QUIET, clock });
  closers.push(() => bus.close());
  const pepper = { keyId: 'bench', secret: randomBytes(32).toString('hex') };
  const tokens = await feedState(bus, pepper, upstreamPort);
  const gateway = async (name: string, node: string, isDrainPaused: boolean): Promise<Target> => {
    const started = await startIngress({ node, brokers: broker.brokers, pepper, dir, isDrainPaused, nodeArgs });
    closers.push(started.stop);
    const at = { port: started.port, path: `/mcp/${VIRTUAL_SERVER}`, tokens, isGateway: true };
    return { name, pid: started.pid, at };
  };
  return [await gateway(names.paused, 'ingress-1', true), await gateway(names.draining, 'ingress-2', false)];
}
