import type { AuditIntent, AuditOutcome, Finding, PrincipalState } from '@warder/contracts';
import type { ExposedTool } from '@warder/catalog';
import { type Credential, type Identified, isClientGrant } from '@warder/tokens';
import type { Call } from '../pipeline/call.js';
import type { Outcome } from '../pipeline/gateway.js';
import { mostTelling } from '../pipeline/kept-findings.js';
import type { Refusal } from '../pipeline/refusal.js';
import { KEPT_OF_ARGUMENTS, KEPT_OF_RESULT } from './capture.js';
import { newSalt } from './record-salt.js';

// A map, for a client may name a method `constructor`.
const KINDS: ReadonlyMap<string, AuditIntent['kind']> = new Map([
  ['tools/call', 'call'],
  ['tools/list', 'list'],
  ['initialize', 'session'],
  ['server/discover', 'session'],
  ['subscriptions/listen', 'session'],
  ['subscriptions/ended', 'session'],
]);
/** UTF-16 units of a text that a client chose (method, name, claim) which a record keeps. */
const CLIENT_TEXT_MAX = 256;
const FINDINGS_MAX = 100;

/** The members of one half of a record, as JSON text without braces: what proves it, and what is about people. */
export interface HalfText {
  readonly core: string;
  readonly personal: string;
}

/** An agent, what was established of its client, and who acts through it. */
interface AgentText extends HalfText {
  readonly verified: string;
  readonly actors: string;
}

const principals = new WeakMap<PrincipalState, HalfText>();
const agents = new WeakMap<Credential, AgentText>();
const targets = new WeakMap<ExposedTool, string>();

/**
 * The intent half of a record, joined from texts that exist already.
 * @param argumentsCapture - JSON text of a Capture, or `null`
 * @param rule - what decided: the grant that permitted, unless a refusal says otherwise
 * @param approval - that the call used up, or waits for
 */
export function intentText(
  call: Call,
  nodeJson: string,
  argumentsCapture: string,
  rule: string | undefined = call.permit?.rule,
  approval: string | undefined = call.approval?.id,
): HalfText {
  const { target, claimed } = call;
  const principal = call.principal ? principalText(call.principal) : NOBODY;
  const agent = call.token ? agentText(call.token) : NO_AGENT;
  return {
    core:
      `"schemaVersion":2,"recordId":"${call.callId}","kind":"${KINDS.get(call.method) ?? 'protocol'}",` +
      `"occurredAtMs":${Math.floor(call.receivedAtMs)},"node":${nodeJson},` +
      `"principal":${principal.core},"actorChain":${agent.actors},"agent":${agent.core},"verified":${agent.verified},` +
      `"traceId":${call.traceId === null ? 'null' : quote(call.traceId)},` +
      `"method":${quote(call.method)},"protocolVersion":"${call.revision.protocolVersion}",` +
      `"virtualServer":${quote(call.virtualServer)},` +
      (target
        ? targetText(target)
        : `"upstream":null,"tool":null,"exposedName":${exposedNameText(call)},"definitionHash":null,`) +
      `"policyVersion":${call.policyVersion ?? 'null'},"guardrailsVersion":${call.guardrailsVersion ?? 'null'},` +
      `"rule":${rule === undefined ? 'null' : quote(rule)},` +
      (approval === undefined ? '' : `"approval":"${approval}",`) +
      `"capture":"${call.capture ?? 'none'}"`,
    personal:
      `"salt":"${newSalt()}","principal":${principal.personal},"agent":${agent.personal},` +
      `"claimed":${claimed ? `{"name":${quote(claimed.name)},"version":${quote(claimed.version)}}` : 'null'},` +
      `"address":${quote(call.address)},"arguments":${argumentsCapture}`,
  };
}

/** The outcome half. @param resultCapture - JSON text of a Capture, or `null` */
export function outcomeText(call: Call, outcome: Outcome, resultCapture: string): HalfText {
  const refusal = outcome.kind === 'answered' ? undefined : outcome.refusal;
  const isForbidden = refusal !== undefined && call.recordSequence === undefined;
  const findings = call.findings.length === 0 ? '[]' : JSON.stringify(keptFindings(call));
  return {
    core:
      `"decision":"${isForbidden ? 'forbid' : 'permit'}","outcome":"${outcomeWord(outcome, call.recordSequence !== undefined)}",` +
      `"refusal":${refusal === undefined ? 'null' : `{"code":"${refusal.code}"}`},` +
      `"isError":${outcome.kind === 'answered' && outcome.isError},` +
      `"findings":${findings},${flowText(call, refusal)}${saidText(call)}"phasesUs":${call.phases.json()},"count":1`,
    personal:
      `"refusalDetail":${refusal === undefined ? 'null' : quote(refusal.internalDetail)},` +
      `"result":${resultCapture}`,
  };
}

/** What the flow policy said, where it said something. */
function flowText(call: Call, refusal: Refusal | undefined): string {
  const flowed = call.flowed ?? refusal?.facts.flowed;
  return flowed === undefined || flowed === null ? '' : `"flow":${JSON.stringify(flowed)},`;
}

/** What guardrail providers said, where any was asked. */
function saidText({ said }: Call): string {
  return said === undefined ? '' : `"providers":${JSON.stringify(said)},`;
}

/** One half as the journal takes it. */
export function halfText({ core, personal }: HalfText): string {
  return `{${core},"personal":{${personal}}}`;
}

/** Both halves as one record. */
export function wholeText(intent: HalfText, outcome: HalfText): string {
  return `{${intent.core},${outcome.core},"personal":{${intent.personal},${outcome.personal}}}`;
}

/** Of what is not kept whole, a place would tell keys. */
function keptFindings({ findings, capture = 'none' }: Call): Finding[] {
  return mostTelling(findings, FINDINGS_MAX).map((finding) => {
    const kept = finding.phase === 'request' ? KEPT_OF_ARGUMENTS[capture] : KEPT_OF_RESULT[capture];
    return kept === 'whole' ? finding : { ...finding, place: '' };
  });
}

function outcomeWord(outcome: Outcome, isOpened: boolean): AuditOutcome['outcome'] {
  if (outcome.kind === 'answered') return 'success';
  // The upstream may have acted although its answer never came, or a bug came after it: the record must not claim to know.
  const isUnknown = outcome.kind === 'failed' || outcome.refusal.facts.isActUnknown;
  return isOpened && isUnknown ? 'unknown' : 'failure';
}

function exposedNameText(call: Call): string {
  return 'exposedName' in call && typeof call.exposedName === 'string' ? quote(call.exposedName) : 'null';
}

function quote(text: string): string {
  return JSON.stringify(text.length > CLIENT_TEXT_MAX ? text.slice(0, CLIENT_TEXT_MAX) : text);
}

function targetText(target: ExposedTool): string {
  let text = targets.get(target);
  if (text === undefined) {
    const { upstream, tool, exposedName, definitionHash } = target;
    text = `${JSON.stringify({ upstream, tool, exposedName, definitionHash }).slice(1, -1)},`;
    targets.set(target, text);
  }
  return text;
}

const NOBODY: HalfText = { core: 'null', personal: 'null' };
const NO_AGENT: AgentText = { ...NOBODY, verified: 'null', actors: '[]' };

// One text per version of a principal or token, not per call.
function principalText(principal: PrincipalState): HalfText {
  let text = principals.get(principal);
  if (text === undefined) {
    const { id, kind, name, email, groups } = principal;
    text = { core: JSON.stringify({ id, kind, groups }), personal: JSON.stringify({ name, email }) };
    principals.set(principal, text);
  }
  return text;
}

function agentText(token: Credential): AgentText {
  let text = agents.get(token);
  if (text === undefined) {
    const grant = isClientGrant(token) ? token : undefined;
    text = {
      core: JSON.stringify({ id: token.id, kind: grant?.kind ?? 'pat' }),
      personal: JSON.stringify({ name: token.name }),
      verified: grant === undefined ? 'null' : JSON.stringify({ client: grant.client.id, by: grant.client.by }),
      actors: grant === undefined ? '[]' : JSON.stringify(grant.actors),
    };
    agents.set(token, text);
  }
  return text;
}

/** What a counted refusal before identification is known by. */
export interface CountedRefusal {
  readonly recordId: string;
  readonly occurredAtMs: number;
  readonly nodeJson: string;
  readonly address: string;
  readonly code: string;
  readonly detail: string;
  readonly count: number;
  readonly isAuthentication: boolean;
  /** Whose token it was, where that is known. */
  readonly holder: Identified | undefined;
}

/** One record for all refusals of a kind from one address within the window. */
export function countedRefusalText(refusal: CountedRefusal): string {
  const { holder } = refusal;
  const principal = holder === undefined ? NOBODY : principalText(holder.principal);
  const agent = holder === undefined ? NOBODY : agentText(holder.token);
  return (
    `{"schemaVersion":2,"recordId":"${refusal.recordId}",` +
    `"kind":"${refusal.isAuthentication ? 'authentication' : 'protocol'}",` +
    `"occurredAtMs":${Math.floor(refusal.occurredAtMs)},"node":${refusal.nodeJson},` +
    `"principal":${principal.core},"actorChain":[],"agent":${agent.core},"verified":null,"traceId":null,` +
    `"method":"","protocolVersion":null,"virtualServer":null,"upstream":null,"tool":null,"exposedName":null,` +
    `"definitionHash":null,"policyVersion":null,"guardrailsVersion":null,"rule":null,"capture":"none",` +
    `"decision":"forbid","outcome":"failure","refusal":{"code":"${refusal.code}"},` +
    `"isError":false,"findings":[],"phasesUs":{},"count":${refusal.count},` +
    `"personal":{"salt":"${newSalt()}","principal":${principal.personal},"agent":${agent.personal},"claimed":null,` +
    `"address":${quote(refusal.address)},"arguments":null,` +
    `"refusalDetail":${quote(refusal.detail)},"result":null}}`
  );
}
