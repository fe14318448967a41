import type { Admitted, Resolved } from '../call.js';
import type { Guardrails, PolicyView } from '../gateway.js';
import type { Refusal } from '../refusal.js';
import { isFlagged, standingFinding } from '../tool-standing.js';
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
  if (!target) throw notThere(call, policy);
  if (isFlagged(target)) call.findings.push(standingFinding(target, 'request'));
  return {
    target,
    screening: guardrails.actionsFor(policy.guardrails(call.virtualServer), {
      virtualServer: call.virtualServer,
      tool: target,
      groups: call.principal.groups,
    }),
    guardrailsVersion: guardrails.version,
    capture: policy.capture(call.virtualServer, target),
  };
}

/** The caller hears the same of a tool that is hidden and of one that never was; the record does not. */
function notThere({ virtualServer, exposedName }: Admitted, policy: PolicyView): Refusal {
  const hidden = policy.hiddenTool(virtualServer, exposedName);
  if (hidden === undefined) return unknownTool(exposedName, `${virtualServer} does not expose it`);
  const { canonical, standing } = hidden;
  return unknownTool(exposedName, `the definition of ${canonical} is ${standing}`, `definition ${standing}`);
}
