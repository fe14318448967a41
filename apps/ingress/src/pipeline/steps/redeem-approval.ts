import type { Cleared, Credentialed } from '../call.js';
import { Refusal } from '../refusal.js';

type Found = Pick<Cleared, 'approval'>;

const NOT_HELD: Found = { approval: null };

/**
 * A call that something holds goes on only with a human's approval of exactly this call, redeemed here, once.
 * It stands after the credential, so that an approval is not spent on a call that could not have been sent.
 * @throws Refusal WDR_APPROVAL_REQUIRED
 */
export function redeemApproval(call: Credentialed): Found {
  if (call.holds.length === 0) return NOT_HELD;
  const rules = call.holds.map(({ by, rule }) => `${by} ${rule}`).join(', ');
  throw new Refusal('WDR_APPROVAL_REQUIRED', 'This call waits for a human to approve it', `held by ${rules}`, {
    rule: call.holds[0]!.rule,
  });
}
