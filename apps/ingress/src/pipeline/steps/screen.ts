import type { Finding } from '@warder/contracts';
import {
  encodeNotification,
  encodeProgress,
  isObject,
  META_LOG_LEVEL,
  type ServerFace,
  stringifyJson,
} from '@warder/mcp-wire';
import type { Answered, Received, Recorded, Released, Screened, Traced } from '../call.js';
import type { Downstream, Guardrails, InterimMessage } from '../gateway.js';
import { keep } from '../kept-findings.js';
import { Refusal } from '../refusal.js';

const NOTHING: Readonly<Record<string, unknown>> = {};
/** Findings whose places a call remembers, for an upstream may send ten thousand messages before its answer. */
const FINDINGS_MAX = 300;
const INTERIM_FINDINGS_MAX = 100;
/** RFC 5424, the least first. */
const LOG_LEVELS: readonly unknown[] = 'debug info notice warning error critical alert emergency'.split(' ');

/**
 * Arguments and `_meta`, before anything leaves; a block is a Refusal, a redaction changes what is sent.
 * @throws Refusal WDR_GUARDRAIL_BLOCKED
 */
export function screenArguments(
  call: Traced,
  guardrails: Guardrails,
): Pick<Screened, 'cleanArgs' | 'argsText' | 'cleanMeta'> {
  const screening = guardrails.screen(call.args, 'request', call.screening.request);
  note(call, screening.findings);
  if (screening.verdict === 'reject') throw blocked('Arguments', screening.findings);
  hold(call, screening.findings);
  return {
    cleanArgs: screening.value as Screened['cleanArgs'],
    argsText: stringifyJson(screening.value),
    cleanMeta: screenedMeta(call, guardrails),
  };
}

/** What a client adds to `_meta` goes up like an argument, so it is looked at like one. Most calls add nothing. */
function screenedMeta(call: Traced, guardrails: Guardrails): Readonly<Record<string, unknown>> {
  const carried = Object.entries(call.meta).filter(([key]) => !isOfEnvelope(key));
  if (carried.length === 0) return NOTHING;
  const screening = guardrails.screen({ _meta: Object.fromEntries(carried) }, 'request', call.screening.request);
  note(call, screening.findings);
  if (screening.verdict === 'reject') throw blocked('Arguments', screening.findings);
  hold(call, screening.findings);
  return (screening.value as { readonly _meta: Screened['cleanMeta'] })._meta;
}

/** What a rule wants a human to see first; one hold for each rule, however much it found. */
function hold(call: Traced, findings: readonly Finding[]): void {
  for (const { action, detector, rule = detector } of findings) {
    if (action !== 'approve' || call.holds.some((held) => held.by === 'guardrail' && held.rule === rule)) continue;
    call.holds.push({ by: 'guardrail', rule, reason: `its arguments hold what ${detector} finds` });
  }
}

/** Members that are valid on the client's hop only, and never sent on. */
function isOfEnvelope(key: string): boolean {
  return key === 'progressToken' || key.startsWith('io.modelcontextprotocol/');
}

/** Adds findings to those of the call; past `max` it remembers kinds and counts. */
export function note(call: Received, findings: readonly Finding[], max = FINDINGS_MAX): void {
  if (findings.length > 0) keep(call.findings, findings, max);
}

/**
 * Progress and log messages that come before the result: no byte of an upstream goes down unscreened. A message that
 * is blocked is left out, and so is whatever the client did not ask for.
 */
export function screenInterim(
  call: Recorded,
  guardrails: Guardrails,
  downstream: Downstream,
): (message: InterimMessage) => void {
  return (message) => {
    if (!isWanted(call, message)) return;
    const screening = guardrails.screen(message.params, 'interim', call.screening.response);
    note(call, screening.findings, INTERIM_FINDINGS_MAX);
    if (screening.verdict === 'reject') return;
    const params = isObject(screening.value) ? screening.value : NOTHING;
    const { progressToken } = call;
    const isProgress = message.method === 'notifications/progress' && progressToken !== undefined;
    downstream.send(isProgress ? encodeProgress(progressToken, params) : encodeNotification(message.method, params));
  };
}

function isWanted(call: Received, { method, params }: InterimMessage): boolean {
  if (method === 'notifications/progress') return call.progressToken !== undefined;
  if (method !== 'notifications/message') return false;
  if (call.revision.era === 'legacy') return true;
  // A modern request that names no level asks for no log messages, and must not be sent any.
  const least = LOG_LEVELS.indexOf(call.meta[META_LOG_LEVEL]);
  return least !== -1 && LOG_LEVELS.indexOf(params['level']) >= least;
}

/**
 * The answer, result or error; what is released is serialised from the screened value, never the upstream's bytes.
 * @throws Refusal WDR_GUARDRAIL_BLOCKED
 */
export function screenResult(call: Answered, guardrails: Guardrails, face: ServerFace): Pick<Released, 'released'> {
  const { result, error } = call.answer;
  const screening = guardrails.screen(error ?? result, 'response', call.screening.response);
  note(call, screening.findings);
  if (screening.verdict === 'reject') throw blocked('Answer', screening.findings);
  if (error !== undefined)
    return {
      released: { text: stringifyJson(screening.value), member: 'error', isError: true, value: screening.value },
    };
  const clean = isObject(screening.value) ? screening.value : {};
  const text = call.revision.encodeResult(clean, face.server);
  return { released: { text, member: 'result', isError: clean['isError'] === true, value: clean } };
}

function blocked(what: string, findings: Refusal['facts']['findings'] & object): Refusal {
  const kinds = [...new Set(findings.map((finding) => finding.detector))].join(', ');
  return new Refusal('WDR_GUARDRAIL_BLOCKED', `${what} blocked by a guardrail of this gateway`, `blocked: ${kinds}`);
}
