import type { Admitted, Resolved } from '../call.js';
import type { Guardrails, PolicyView } from '../gateway.js';
import { unknownTool } from '../unknown-tool.js';

/**
 * Finds the upstream tool behind an exposed name. Access is decided on this canonical name, never on the exposed one.
 * @throws Refusal WDR_TOOL_UNKNOWN
 */
export function resolveTarget(
  call: Admitted,
  policy: PolicyView,
  guardrails: Guardrails,
): Pick<Resolved, 'target' | 'screening' | 'guardrailsVersion' | 'capture'> {
  const target = policy.resolve(call.virtualServer, call.exposedName);
  if (!target) throw unknownTool(call.exposedName, `${call.virtualServer} does not expose it`);
  return {
    target,
    screening: policy.guardrails(call.virtualServer),
    guardrailsVersion: guardrails.version,
    capture: policy.capture(call.virtualServer, target),
  };
}
