import type { Hold } from '@warder/contracts';
import type { Cleared, Credentialed } from '../call.js';
import type { ApprovalFound, Approvals, PolicyView } from '../gateway.js';
import { Refusal, type RefusalFacts } from '../refusal.js';
import { askToOpen } from './ask-to-open.js';

type Found = Pick<Cleared, 'approval'> & Partial<Pick<Cleared, 'cleanMeta'>>;

const NOT_HELD: Found = { approval: null };
const BY_POLICY: Hold = {
  by: 'policy',
  rule: 'policy.approval',
  reason: 'every call of this tool waits for a human',
};
const RETRY_AFTER_MS = 2_000;
/** What of `_meta` says where a call belongs and not what it does (SEP-414). */
const TRACE_KEYS: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage']);

/**
 * A call that something holds goes on only with a human's approval of exactly this call, which is used up with that.
 * What the client put into `_meta` was shown to nobody, and is not sent with it but for the trace.
 * It stands behind the credential, so that an approval is not spent on a call that could not have been sent.
 * @returns a promise only for a call that is held
 * @throws Refusal WDR_APPROVAL_REQUIRED, WDR_APPROVAL_DENIED, WDR_APPROVAL_LIMIT or WDR_APPROVAL_UNAVAILABLE
 */
export function redeemApproval(call: Credentialed, policy: PolicyView, approvals: Approvals): Found | Promise<Found> {
  const { isAlwaysHeld, terms } = policy.approval(call.virtualServer, call.target);
  if (isAlwaysHeld) call.holds.push(BY_POLICY);
  if (call.holds.length === 0) return NOT_HELD;
  return approvals.redeem(call, terms).then((found) => {
    if (found.status === 'redeemed') return { approval: { id: found.id }, cleanMeta: traceOf(call.cleanMeta) };
    throw refusalOf(call, found);
  });
}

function traceOf(meta: Credentialed['cleanMeta']): Credentialed['cleanMeta'] {
  return Object.fromEntries(Object.entries(meta).filter(([key]) => TRACE_KEYS.has(key)));
}

function refusalOf(call: Credentialed, found: Exclude<ApprovalFound, { status: 'redeemed' }>): Refusal {
  const heldBy = `held by ${call.holds.map(({ by, rule }) => `${by} ${rule}`).join(', ')}`;
  const facts: RefusalFacts = { rule: call.holds[0]!.rule };
  switch (found.status) {
    case 'pending':
      return required(call, found, heldBy, facts);
    case 'denied': {
      const message = `A human denied this call (${found.id}): ${found.reason}. Do not make it again`;
      return new Refusal('WDR_APPROVAL_DENIED', message, `${heldBy}; denied`, { ...facts, approval: found.id });
    }
    case 'limit': {
      const message = 'This call needs the approval of a human, and too many calls wait for one already';
      return new Refusal('WDR_APPROVAL_LIMIT', message, `${heldBy}; too many are open`, facts);
    }
    case 'unavailable': {
      const message = 'This call needs the approval of a human, which cannot be looked up at the moment';
      return new Refusal('WDR_APPROVAL_UNAVAILABLE', message, `${heldBy}; ${found.detail}`, {
        ...facts,
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
  }
}

function required(
  call: Credentialed,
  { id, url, expiresAtMs }: Extract<ApprovalFound, { status: 'pending' }>,
  heldBy: string,
  facts: RefusalFacts,
): Refusal {
  const { exposedName } = call;
  const until = `${new Date(expiresAtMs).toISOString().slice(0, 16)}Z`;
  const message =
    `"${exposedName}" was not called: it waits for a human to approve it (approval ${id}) at ${url} until ${until}. ` +
    'Once it is approved, make exactly the same call again; it goes through once';
  const asked = askToOpen(call, url, `Have “${exposedName}” approved (${id}) to go on`);
  const detail = asked === undefined ? heldBy : `${heldBy}; the client was asked for it`;
  const told = asked === undefined ? facts : { ...facts, asked };
  return new Refusal('WDR_APPROVAL_REQUIRED', message, detail, { ...told, approval: id });
}
