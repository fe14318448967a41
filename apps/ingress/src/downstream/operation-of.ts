import {
  answersUrlRequest,
  type ClientMessage,
  isObject,
  type LegacySession,
  negotiateLegacy,
  type Revision,
  revisionOf,
} from '@warder/mcp-wire';
import type { Operation, Received } from '../pipeline/call.js';
import type { CallSignal } from '../pipeline/call-signal.js';
import { PhaseClock } from '../pipeline/phase-clock.js';
import { newRecordId } from '../record/record-id.js';

/** What is known of a request before its message is. */
export interface Arrival {
  readonly virtualServer: string;
  readonly bearerToken: string;
  readonly address: string;
  readonly signal: CallSignal;
  readonly clock: { wallMs(): number; monotonicMs(): number };
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const NOTHING: Readonly<Record<string, unknown>> = {};
/** The revision in which an answer is written to a message that names none. */
const FALLBACK = negotiateLegacy('');

/** The revision of a message: its own, its session's, or the one that `initialize` settles. */
export function revisionFor(message: ClientMessage, session: LegacySession | undefined): Revision {
  if (message.method === 'initialize') return negotiateLegacy(message.protocolVersion ?? '');
  return revisionOf(session?.protocolVersion ?? message.protocolVersion) ?? FALLBACK;
}

/** An operation as it came in. `message` is undefined where the body was no message. */
export function operationOf(
  arrival: Arrival,
  message: ClientMessage | undefined,
  session: LegacySession | undefined,
): Operation {
  const { virtualServer, bearerToken, address, signal, clock } = arrival;
  const receivedAtMs = clock.wallMs();
  const isInitialize = message?.method === 'initialize';
  const info = isInitialize ? message.params['clientInfo'] : (session?.clientInfo ?? message?.clientInfo);
  const call = {
    callId: newRecordId(receivedAtMs),
    method: message?.method ?? '',
    virtualServer,
    bearerToken,
    sessionPrincipalId: session?.principalId,
    sessionId: message?.sessionToken,
    receivedAtMs,
    address,
    traceId: message === undefined ? null : traceIdOf(message),
    revision: message === undefined ? FALLBACK : revisionFor(message, session),
    claimed: claimOf(info),
    greeted: isInitialize
      ? { clientInfo: objectOf(info), capabilities: objectOf(message.params['capabilities']) }
      : undefined,
    signal,
    phases: new PhaseClock(clock),
    findings: [],
    holds: [],
    // A place for every fact that a step may add: put onto an object without one they cost 0.3 µs each.
    exposedName: undefined,
    args: undefined,
    meta: undefined,
    clientCapabilities: undefined,
    progressToken: undefined,
    wasAskedToOpen: undefined,
    principal: undefined,
    token: undefined,
    callsLeft: undefined,
    policyVersion: undefined,
    capture: undefined,
    guardrailsVersion: undefined,
    view: undefined,
    target: undefined,
    screening: undefined,
    permit: undefined,
    flow: undefined,
    run: undefined,
    flowed: undefined,
    cleanArgs: undefined,
    argsText: undefined,
    cleanMeta: undefined,
    upstreamCredential: undefined,
    approval: undefined,
    recordSequence: undefined,
    answer: undefined,
    released: undefined,
  };
  return call;
}

/** A tool call as it came in; `wire` has proved that name and arguments are what they must be. */
export function receivedOf(
  operation: Operation,
  message: ClientMessage,
  session: LegacySession | undefined,
  canStream: boolean,
): Received {
  const args = message.params['arguments'];
  const facts: Omit<Received, keyof Operation> = {
    exposedName: message.params['name'] as string,
    args: args === undefined ? NOTHING : (args as Received['args']),
    meta: message.meta,
    clientCapabilities: session?.capabilities ?? message.clientCapabilities ?? NOTHING,
    // Progress that could not be sent down need not be asked for.
    progressToken: canStream ? message.progressToken : undefined,
    wasAskedToOpen: answersUrlRequest(message.params),
  };
  return Object.assign(operation, facts);
}

function claimOf(info: unknown): Operation['claimed'] {
  if (!isObject(info)) return null;
  const { name, version } = info;
  return typeof name === 'string' ? { name, version: typeof version === 'string' ? version : '' } : null;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : NOTHING;
}

/** @see W3C Trace Context, carried in `_meta` (SEP-414) */
function traceIdOf(message: ClientMessage): string | null {
  const traceparent = message.meta['traceparent'];
  return typeof traceparent === 'string' ? (TRACEPARENT.exec(traceparent)?.[1] ?? null) : null;
}
