import { type Call, establish, type Operation } from './call.js';
import type { Gateway, Outcome } from './gateway.js';
import { asOutcome } from './outcome.js';
import { closeRecord } from './steps/close-record.js';
import { identifyCaller } from './steps/identify-caller.js';
import { ensureOwnSession } from './steps/own-session.js';
import { prefetchLeases } from './steps/prefetch-leases.js';
import { takeQuota } from './steps/take-quota.js';
import { ensureWithinScope } from './steps/within-scope.js';

/**
 * `initialize` of the legacy era and `server/discover` of the modern one: who we are and what we can do. The legacy
 * answer carries a sealed session id that any node can open. Never throws.
 */
export async function openSession(received: Operation, gateway: Gateway): Promise<Outcome> {
  const call: Call = received;
  let outcome: Outcome;
  try {
    const policy = gateway.policy();
    const nowMs = gateway.clock.monotonicMs();
    establish(call, 'identify', identifyCaller(call, gateway.tokens, gateway.clock.wallMs()));
    establish(call, 'quota', takeQuota(call, gateway.quotas, policy, nowMs));
    ensureWithinScope(call);
    ensureOwnSession(call);
    prefetchLeases(call, policy, gateway.leases);
    const text = call.revision.encodeGreeting(gateway.face);
    const session = call.revision.era === 'legacy' ? { sessionToken: gateway.sessions.start(call) } : {};
    outcome = { kind: 'answered', member: 'result', text, isError: false, recordText: null, ...session };
  } catch (error) {
    outcome = asOutcome(error);
  }
  return closeRecord(call, gateway.journal, outcome);
}
