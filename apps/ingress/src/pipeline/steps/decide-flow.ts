import { namesOf } from '@warder/flow';
import type { Flowed, Screened } from '../call.js';
import type { Flow } from '../gateway.js';
import { Refusal } from '../refusal.js';

/**
 * Whether the call may follow what its run has read, decided on the arguments as the agent wrote them: a redaction would
 * hide where a value came from. What has to wait for a human is added to the call's holds.
 * @throws Refusal WDR_FLOW_BLOCKED
 */
export function decideFlow(call: Screened, flow: Flow): Pick<Flowed, 'flowed'> {
  if (call.run === undefined) return { flowed: null };
  const { action, rule, reason, chain } = flow.decide(call.run, call.flow, call.args);
  if (action === 'allow') return { flowed: null };
  const steps = chain.map(({ callId, tool, bits }) => ({ recordId: callId, tool, labels: [...namesOf(bits)] }));
  const flowed = { action, rule, run: call.run.name, chain: steps };
  if (action === 'approve') call.holds.push({ by: 'flow', rule, reason, chain: steps });
  if (action !== 'block') return { flowed };
  const message = 'Not done: this run has read untrusted content, and the gateway does not let this call follow it';
  throw new Refusal('WDR_FLOW_BLOCKED', message, reason, { rule, flowed });
}
