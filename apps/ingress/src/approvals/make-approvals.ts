import type { Host } from '@warder/service-host';
import type { IngressConfig } from '../ingress-config.js';
import type { Guardrails } from '../pipeline/gateway.js';
import { NodeApprovals } from './node-approvals.js';

/** Makes what asks the owner of approvals for this node; to be started. */
export function makeApprovals(config: IngressConfig, host: Host, guardrails: () => Guardrails): NodeApprovals {
  const held = host.metrics.counter('warder_held_calls_total', 'Calls that something held, by what became of them', [
    'status',
  ]);
  const approvals = new NodeApprovals({
    bus: host.bus,
    node: host.node,
    guardrails,
    pageUrl: (id) => new URL(`/approvals/${id}`, host.door.publicUrl()).href,
    bounds: config.approvals,
    wallMs: () => host.clock.wallMs(),
    onFound: (status) => held.inc({ status }),
  });
  host.onDrain('approvals', () => approvals.stop());
  return approvals;
}
