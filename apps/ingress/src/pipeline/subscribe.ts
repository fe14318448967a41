import { newRecordId } from '../record/record-id.js';
import { type AdmittedOperation, type Call, establish, type Operation } from './call.js';
import type { ChangeStream, Gateway, Outcome, Subscription, SubscriptionEnd } from './gateway.js';
import { asOutcome } from './outcome.js';
import { PhaseClock } from './phase-clock.js';
import { Refusal } from './refusal.js';
import { closeRecord } from './steps/close-record.js';
import { identifyCaller } from './steps/identify-caller.js';
import { ensureOwnSession } from './steps/own-session.js';
import { takeQuota } from './steps/take-quota.js';
import { ensureWithinScope } from './steps/within-scope.js';
import { unknownServer } from './unknown-server.js';

/**
 * A stream on which a client hears that its list of tools is another one. It is on record twice: when it opens, before
 * a byte of it leaves, and when it is over; an intent that stood open for hours would keep the journal from giving room
 * back. Resolves once the stream is over. Never throws.
 */
export async function subscribe(received: Operation, gateway: Gateway, stream: ChangeStream): Promise<Outcome> {
  const call: Call = received;
  const nowMs = gateway.clock.monotonicMs();
  let subscription: Subscription | undefined;
  let outcome: Outcome = answered('{"stream":"opened"}');
  try {
    const policy = gateway.policy();
    establish(call, 'identify', identifyCaller(call, gateway.tokens, gateway.clock.wallMs()));
    establish(call, 'quota', takeQuota(call, gateway.quotas, policy, nowMs));
    ensureWithinScope(call);
    ensureOwnSession(call);
    const admitted: AdmittedOperation = call;
    subscription = gateway.subscriptions.enter(admitted, stream, () => listedNow(admitted, gateway));
  } catch (error) {
    outcome = asOutcome(error);
  }
  const opened = await closeRecord(call, gateway.journal, outcome);
  if (subscription === undefined || opened.kind !== 'answered') {
    await subscription?.leave();
    return opened;
  }
  const end = await subscription.follow();
  const ended = endedOf(call, end, gateway.clock.monotonicMs() - nowMs);
  await subscription.leave(() => gateway.journal.close(endOf(call, gateway), ended));
  return ended;
}

/**
 * What the caller would be listed now, by everything that the node knows now; undefined while nothing was ever loaded.
 * @throws Refusal as any request of theirs would be refused
 */
function listedNow(call: AdmittedOperation, gateway: Gateway): string | undefined {
  const policy = gateway.policy();
  const caller = { ...call, ...identifyCaller(call, gateway.tokens, gateway.clock.wallMs()) };
  ensureSamePrincipal(call, caller);
  ensureWithinScope(caller);
  const view = policy.visibleTools(call.virtualServer, caller);
  if (view === undefined) throw unknownServer('no virtual server has this name');
  if (view.isUnavailable) return undefined;
  const actions = policy.guardrails(call.virtualServer).response;
  return gateway.lists.listOf(view, call.revision, gateway.guardrails(), actions).digest;
}

/**
 * The subject that a token of the company's authorization server names may be another person by now: whose stream it is
 * stands on record, and by them it is counted and cut off.
 * @throws Refusal WDR_TOKEN_UNKNOWN
 */
function ensureSamePrincipal(opened: AdmittedOperation, now: AdmittedOperation): void {
  if (opened.principal.id === now.principal.id) return;
  throw new Refusal('WDR_TOKEN_UNKNOWN', 'The access token is not accepted', 'it names another principal now');
}

function answered(recordText: string): Outcome {
  return { kind: 'answered', member: 'result', text: '{}', isError: false, recordText };
}

/** The end as an operation of its own: who and where are those of the opening. */
function endOf(call: Call, { clock }: Gateway): Call {
  const receivedAtMs = clock.wallMs();
  const own = { callId: newRecordId(receivedAtMs), method: 'subscriptions/ended', receivedAtMs, findings: [] };
  return { ...call, ...own, phases: new PhaseClock(clock) };
}

function endedOf({ callId }: Call, { refusal, why, notifications }: SubscriptionEnd, openMs: number): Outcome {
  if (refusal !== undefined) return { kind: 'refused', refusal };
  const told = { stream: 'ended', why, opened: callId, openMs: Math.round(openMs), notifications };
  return answered(JSON.stringify(told));
}
