/**
 * One governed operation through the gateway, top to bottom. Read this file first.
 *
 * A step lives in `steps/<its-name>.ts` and returns the facts that it adds, or throws a `Refusal`. The steps
 * before `attachCredential` answer from this process's memory. Every exit, good or bad, leaves exactly one
 * final record; whatever an upstream saw was written down before it happened.
 */
import { type Call, establish, type Received } from './call.js';
import type { Downstream, Gateway, Outcome } from './gateway.js';
import { asOutcome } from './outcome.js';
import { askAboutAnswer, askAboutArguments, withoutUnasked } from './steps/ask-providers.js';
import { attachCredential } from './steps/attach-credential.js';
import { authorize } from './steps/authorize.js';
import { callUpstream } from './steps/call-upstream.js';
import { closeRecord } from './steps/close-record.js';
import { decideFlow } from './steps/decide-flow.js';
import { findRun } from './steps/find-run.js';
import { identifyCaller } from './steps/identify-caller.js';
import { openRecord } from './steps/open-record.js';
import { ensureOwnSession } from './steps/own-session.js';
import { recordTaint, taintingInterim } from './steps/record-taint.js';
import { redeemApproval } from './steps/redeem-approval.js';
import { resolveTarget } from './steps/resolve-target.js';
import { screenArguments, screenInterim, screenResult } from './steps/screen.js';
import { takeQuota } from './steps/take-quota.js';
import { tellFindings } from './steps/tell-findings.js';
import { ensureWithinScope } from './steps/within-scope.js';

/** Runs one tool call. Never throws: what went wrong is the outcome, and it is on record. */
export async function governedCall(received: Received, gateway: Gateway, downstream: Downstream): Promise<Outcome> {
  const call: Received & Call = received;
  let outcome: Outcome;
  try {
    const policy = gateway.policy(); // one snapshot for the whole call
    const guardrails = gateway.guardrails(); // one engine for the whole call
    const nowMs = gateway.clock.monotonicMs();
    establish(call, 'identify', identifyCaller(call, gateway.tokens, gateway.clock.wallMs())); // who: human, agent
    establish(call, 'quota', takeQuota(call, gateway.quotas, policy, nowMs)); //                  how often
    ensureWithinScope(call); //                                                                   where the token is for
    ensureOwnSession(call); //                                                                    in their own session
    establish(call, 'resolve', resolveTarget(call, policy, guardrails)); //                       which upstream tool
    establish(call, 'authorize', authorize(call, policy)); //                                     may they
    establish(call, 'run', findRun(call, policy, gateway.flow, nowMs)); //                        what came before it
    establish(call, 'screenRequest', screenArguments(call, guardrails)); //                       is the request clean
    establish(call, 'flow', decideFlow(call, gateway.flow)); //                                   may it follow that
    const lease = attachCredential(call, gateway.leases); //                                      with whose secret
    establish(call, 'credential', lease instanceof Promise ? await lease : lease);
    const judged = askAboutArguments(call, policy, gateway); //                                   what do others say
    if (judged !== undefined) establish(call, 'providersRequest', await judged);
    const cleared = redeemApproval(call, policy, gateway.approvals); //                           did a human say yes
    establish(call, 'approval', cleared instanceof Promise ? await cleared : cleared);
    establish(call, 'record', await openRecord(call, gateway.journal)); //                        written down first
    const interim = taintingInterim(
      call,
      gateway.flow,
      withoutUnasked(call, policy, screenInterim(call, guardrails, downstream)),
    );
    establish(call, 'upstream', await callUpstream(call, gateway, policy, interim)); //          do it
    recordTaint(call, gateway.flow); //                                                           what it brought
    establish(call, 'screenResponse', screenResult(call, guardrails, gateway.face)); //           is the answer clean
    const weighed = askAboutAnswer(call, policy, gateway); //                                     what do others say
    if (weighed !== undefined) establish(call, 'providersResponse', await weighed);
    outcome = { kind: 'answered', ...tellFindings(call, gateway.face) }; //                       what the agent is told
  } catch (error) {
    call.phases.endUnfinished();
    outcome = asOutcome(error);
  }
  // Outside the try, so that a failing journal can neither run twice nor turn an executed call into a refused one.
  return closeRecord(call, gateway.journal, outcome);
}
