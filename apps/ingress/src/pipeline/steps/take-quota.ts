import type { AdmittedOperation, IdentifiedOperation } from '../call.js';
import type { PolicyView, Quotas } from '../gateway.js';
import { Refusal } from '../refusal.js';

/**
 * Takes one call from the principal's bucket (GCRA), never from a session's: a new session buys nothing.
 * @param nowMs - monotonic milliseconds from the injected clock
 * @returns calls left, an integer in 0..burst, the version of the policy whose limit it was, and how much that policy
 * wants kept of whoever gets in
 * @throws Refusal WDR_RATE_LIMITED with `retryAfterMs`
 * @see RFC 6585 section 4
 */
export function takeQuota(
  call: IdentifiedOperation,
  quotas: Quotas,
  policy: PolicyView,
  nowMs: number,
): Pick<AdmittedOperation, 'callsLeft' | 'policyVersion' | 'capture'> {
  const callsLeft = quotas.take(call.principal.id, policy.limit, nowMs);
  if (callsLeft < 0) {
    const detail = `the bucket of ${call.principal.id} is empty`;
    throw new Refusal('WDR_RATE_LIMITED', 'Too many calls, try again later', detail, { retryAfterMs: -callsLeft });
  }
  return { callsLeft, policyVersion: policy.version, capture: policy.capture(call.virtualServer) };
}
