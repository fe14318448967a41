import type { IdentifiedOperation } from '../call.js';
import type { Leases, PolicyView } from '../gateway.js';

/** Whoever greets or lists will call soon: what their calls need is asked for now, and nobody waits for it. */
export function prefetchLeases(call: IdentifiedOperation, policy: PolicyView, leases: Leases): void {
  for (const upstream of policy.upstreamsOf(call.virtualServer)) leases.prefetch(upstream, call.principal.id);
}
