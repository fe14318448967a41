import { type Call, establish, type IdentifiedOperation, type Listed, type Operation } from './call.js';
import type { Gateway, Outcome, PolicyView } from './gateway.js';
import { asOutcome } from './outcome.js';
import { Refusal } from './refusal.js';
import { closeRecord } from './steps/close-record.js';
import { prefetchLeases } from './steps/prefetch-leases.js';
import { identifyCaller } from './steps/identify-caller.js';
import { ensureOwnSession } from './steps/own-session.js';
import { takeQuota } from './steps/take-quota.js';
import { ensureWithinScope } from './steps/within-scope.js';
import { unknownServer } from './unknown-server.js';

/** Findings of a list that its record keeps. */
const FINDINGS_MAX = 20;

/** One tools/list, in the form of a governed call: what is listed is exactly what may be called. Never throws. */
export async function listTools(received: Operation, gateway: Gateway): Promise<Outcome> {
  const call: Call = received;
  let outcome: Outcome;
  try {
    const policy = gateway.policy();
    const guardrails = gateway.guardrails();
    const nowMs = gateway.clock.monotonicMs();
    establish(call, 'identify', identifyCaller(call, gateway.tokens, gateway.clock.wallMs()));
    establish(call, 'quota', takeQuota(call, gateway.quotas, policy, nowMs));
    ensureWithinScope(call);
    ensureOwnSession(call);
    // First, for an upstream that never loaded may lack just the caller's account.
    prefetchLeases(call, policy, gateway.leases);
    establish(call, 'resolve', { view: selectView(call, policy), guardrailsVersion: guardrails.version });
    const actions = policy.guardrails(call.virtualServer).response;
    const listed = gateway.lists.listOf(call.view, call.revision, guardrails, actions);
    call.findings.push(...listed.findings.slice(0, FINDINGS_MAX));
    const recordText = summaryOf(call.view, listed.withheld);
    outcome = { kind: 'answered', member: 'result', text: listed.text, isError: false, recordText };
  } catch (error) {
    outcome = asOutcome(error);
  }
  return closeRecord(call, gateway.journal, outcome);
}

/**
 * The caller's filtered list, from the replica and with no upstream I/O.
 * @throws Refusal WDR_LIST_UNAVAILABLE when no upstream of the view ever loaded; WDR_VIRTUAL_SERVER_UNKNOWN
 */
function selectView(call: IdentifiedOperation, policy: PolicyView): Listed['view'] {
  const view = policy.visibleTools(call.virtualServer, call);
  if (!view) throw unknownServer('no virtual server has this name');
  if (view.isUnavailable) {
    const detail = `never loaded: ${view.missingUpstreams.join(', ')}`;
    throw new Refusal('WDR_LIST_UNAVAILABLE', 'No tools could be loaded yet, try again later', detail);
  }
  return view;
}

/** What the record keeps of a list: how many tools of which view, for the definitions stand on a topic of their own. */
function summaryOf(view: Listed['view'], withheld: number): string {
  const { tools, hash, missingUpstreams } = view;
  const told = { tools: tools.length - withheld, hash, partial: missingUpstreams };
  return JSON.stringify(withheld === 0 ? told : { ...told, withheld });
}
