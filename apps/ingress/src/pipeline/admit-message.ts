import { type Call, establish, type Operation } from './call.js';
import type { Gateway, Outcome } from './gateway.js';
import { asOutcome } from './outcome.js';
import type { Refusal } from './refusal.js';
import { closeRecord } from './steps/close-record.js';
import { identifyCaller } from './steps/identify-caller.js';
import { ensureOwnSession } from './steps/own-session.js';
import { takeQuota } from './steps/take-quota.js';
import { ensureWithinScope } from './steps/within-scope.js';

/**
 * What is neither a call nor a list: `ping`, notifications, the end of a session, and whatever the door refuses for a
 * reason of the protocol's. Costs quota like everything else; leaves a record only if it is refused. Never throws.
 * @param problem - why the message is refused once its sender is known
 */
export async function admitMessage(received: Operation, gateway: Gateway, problem?: Refusal): Promise<Outcome> {
  const call: Call = received;
  try {
    establish(call, 'identify', identifyCaller(call, gateway.tokens, gateway.clock.wallMs()));
    establish(call, 'quota', takeQuota(call, gateway.quotas, gateway.policy(), gateway.clock.monotonicMs()));
    ensureWithinScope(call);
    ensureOwnSession(call);
    if (problem) throw problem;
    return { kind: 'answered', member: 'result', text: '{}', isError: false };
  } catch (error) {
    return closeRecord(call, gateway.journal, asOutcome(error));
  }
}
