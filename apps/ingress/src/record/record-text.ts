import type { AuditIntent, AuditOutcome, PrincipalState, TokenState } from '@warder/contracts';
import type { ExposedTool } from '@warder/catalog';
import type { Call } from '../pipeline/call.js';
import type { Outcome } from '../pipeline/gateway.js';

// A map, for a client may name a method `constructor`.
const KINDS: ReadonlyMap<string, AuditIntent['kind']> = new Map([
  ['tools/call', 'call'],
  ['tools/list', 'list'],
  ['initialize', 'session'],
  ['server/discover', 'session'],
]);
/** UTF-16 units of a text that a client chose (method, name, claim) which a record keeps. */
const CLIENT_TEXT_MAX = 256;
const FINDINGS_MAX = 100;

const principals = new WeakMap<PrincipalState, string>();
const agents = new WeakMap<TokenState, string>();
const targets = new WeakMap<ExposedTool, string>();

/**
 * The intent half of a record as JSON text, joined from texts that exist already.
 * @param argumentsCapture - JSON text of a Capture, or `null`
 * @param rule - what decided: the grant that permitted, unless a refusal says otherwise
 */
export function intentText(
  call: Call,
  nodeJson: string,
  argumentsCapture: string,
  rule: string | undefined = call.permit?.rule,
): string {
  const { target, claimed } = call;
  return (
    `{"schemaVersion":1,"recordId":"${call.callId}","kind":"${KINDS.get(call.method) ?? 'protocol'}",` +
    `"occurredAtMs":${Math.floor(call.receivedAtMs)},"node":${nodeJson},` +
    `"principal":${call.principal ? principalText(call.principal) : 'null'},` +
    `"agent":${call.token ? agentText(call.token) : 'null'},` +
    `"claimed":${claimed ? `{"name":${quote(claimed.name)},"version":${quote(claimed.version)}}` : 'null'},` +
    `"address":${quote(call.address)},"traceId":${call.traceId === null ? 'null' : quote(call.traceId)},` +
    `"method":${quote(call.method)},"protocolVersion":"${call.revision.protocolVersion}",` +
    `"virtualServer":${quote(call.virtualServer)},` +
    (target
      ? targetText(target)
      : `"upstream":null,"tool":null,"exposedName":${exposedNameText(call)},"definitionHash":null,`) +
    `"policyVersion":${call.policyVersion ?? 'null'},"rule":${rule === undefined ? 'null' : quote(rule)},` +
    `"arguments":${argumentsCapture}}`
  );
}

/** The outcome half as JSON text. @param resultCapture - JSON text of a Capture, or `null` */
export function outcomeText(call: Call, outcome: Outcome, resultCapture: string): string {
  const isForbidden = outcome.kind !== 'answered' && call.recordSequence === undefined;
  const findings = call.findings.length === 0 ? '[]' : JSON.stringify(call.findings.slice(0, FINDINGS_MAX));
  return (
    `{"decision":"${isForbidden ? 'forbid' : 'permit'}","outcome":"${outcomeWord(outcome, call.recordSequence !== undefined)}",` +
    `"refusal":${refusalText(outcome)},` +
    `"isError":${outcome.kind === 'answered' && outcome.isError},"result":${resultCapture},` +
    `"findings":${findings},"phasesUs":${call.phases.json()},"count":1}`
  );
}

/** Both halves as one record. */
export function wholeText(intent: string, outcome: string): string {
  return `${intent.slice(0, -1)},${outcome.slice(1)}`;
}

function outcomeWord(outcome: Outcome, isOpened: boolean): AuditOutcome['outcome'] {
  if (outcome.kind === 'answered') return 'success';
  // The upstream may have acted although its answer never came, or a bug came after it: the record must not claim to know.
  const isUnknown = outcome.kind === 'failed' || outcome.refusal.facts.isActUnknown;
  return isOpened && isUnknown ? 'unknown' : 'failure';
}

function refusalText(outcome: Outcome): string {
  if (outcome.kind === 'answered') return 'null';
  const { code, internalDetail } = outcome.refusal;
  return `{"code":"${code}","detail":${quote(internalDetail)}}`;
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

// One text per version of a principal or token, not per call.
function principalText(principal: PrincipalState): string {
  let text = principals.get(principal);
  if (text === undefined) {
    const { id, kind, name, email, groups } = principal;
    text = JSON.stringify({ id, kind, name, email, groups });
    principals.set(principal, text);
  }
  return text;
}

function agentText(token: TokenState): string {
  let text = agents.get(token);
  if (text === undefined) {
    text = JSON.stringify({ id: token.id, name: token.name, kind: 'pat' });
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
}

/** One record for all refusals of a kind from one address within the window. */
export function countedRefusalText(refusal: CountedRefusal): string {
  return (
    `{"schemaVersion":1,"recordId":"${refusal.recordId}",` +
    `"kind":"${refusal.isAuthentication ? 'authentication' : 'protocol'}",` +
    `"occurredAtMs":${Math.floor(refusal.occurredAtMs)},"node":${refusal.nodeJson},` +
    `"principal":null,"agent":null,"claimed":null,"address":${quote(refusal.address)},"traceId":null,` +
    `"method":"","protocolVersion":null,"virtualServer":null,"upstream":null,"tool":null,"exposedName":null,` +
    `"definitionHash":null,"policyVersion":null,"rule":null,"arguments":null,` +
    `"decision":"forbid","outcome":"failure","refusal":{"code":"${refusal.code}","detail":${quote(refusal.detail)}},` +
    `"isError":false,"result":null,"findings":[],"phasesUs":{},"count":${refusal.count}}`
  );
}
