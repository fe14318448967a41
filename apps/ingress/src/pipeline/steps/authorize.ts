import type { Permitted, Resolved } from '../call.js';
import type { PolicyView } from '../gateway.js';
import { unknownTool } from '../unknown-tool.js';

/**
 * Decides from the snapshot in memory; nothing is asked over the network.
 * @throws Refusal WDR_TOOL_UNKNOWN when no grant permits, or one forbids
 */
export function authorize(call: Resolved, policy: PolicyView): Pick<Permitted, 'permit'> {
  const decision = policy.authorize(call, call.target);
  // An unknown tool and a forbidden one answer alike, so a caller cannot map what it may not see.
  if (decision.effect === 'forbid') throw unknownTool(call.exposedName, decision.rule, decision.rule);
  return { permit: decision };
}
