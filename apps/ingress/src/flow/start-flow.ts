import type { Host } from '@warder/service-host';
import { derivedKey } from '../derived-key.js';
import type { IngressConfig } from '../ingress-config.js';
import type { Flow } from '../pipeline/gateway.js';
import { NodeFlow } from './node-flow.js';
import { RunSharing } from './run-sharing.js';
import { RunStore } from './run-store.js';

export interface StartedFlow {
  readonly flow: Flow;
  /** Begins to hear what other nodes saw; until then every run counts as unknown. */
  listen(): Promise<void>;
}

/** The runs of this node, under a key that all nodes derive alike. */
export function startFlow(config: IngressConfig, host: Host): StartedFlow {
  const { bus, clock, log } = host;
  const { runsMax, runValuesMax } = config.limits;
  const key = derivedKey(config.sessionKey, 'flow').toString('base64url');
  const sharing = new RunSharing({ bus, clock, log });
  const store = new RunStore(key, { runsMax, valuesMax: runValuesMax }, () => sharing.isBehind());
  const runs = host.metrics.gauge('warder_runs', 'Runs of agents that this node remembers');
  const timer = setInterval(() => runs.set(store.size), 1_000).unref();
  host.onDrain('warder_runs', async () => clearInterval(timer));
  return {
    flow: new NodeFlow(key, store, sharing),
    listen: async () => {
      const stop = await sharing.start(store);
      host.onDrain('runs', async () => stop());
    },
  };
}
