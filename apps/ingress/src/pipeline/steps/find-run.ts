import type { Permitted, Traced } from '../call.js';
import type { Flow, PolicyView } from '../gateway.js';

/** The run that a call belongs to, and what the flow policy knows of its tool. */
export function findRun(call: Permitted, policy: PolicyView, flow: Flow, nowMs: number): Pick<Traced, 'flow' | 'run'> {
  const ofTool = policy.flow(call.virtualServer, call.target);
  return { flow: ofTool, run: ofTool.settings.mode === 'off' ? undefined : flow.find(call, ofTool, nowMs) };
}
