import { EnvelopeKeys } from './envelope-keys.js';
import { type Era, isObject, META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_PROTOCOL_VERSION } from './era.js';
import { JSON_DEPTH_MAX, JsonError, LosslessNumber, parseJson } from './json.js';
import { type ProtocolError, ErrorCode, protocolError } from './protocol-error.js';
import { revision20260728 } from './revision-2026-07-28/revision.js';
import { checkEnvelope, checkHeaders } from './revision-2026-07-28/request-checks.js';
import { LEGACY_VERSIONS } from './revision.js';
import { asksForTools, LISTEN } from './subscriptions.js';

/** HTTP headers with lower-case names, as node:http gives them. */
export type HeaderMap = Readonly<Record<string, string | string[] | undefined>>;

/** A client's token of a progress subscription; it is valid on the client's hop only. */
export type ProgressToken = string | number | LosslessNumber;

/** One message of a client, its envelope proved and nothing else believed. */
export interface ClientMessage {
  readonly kind: 'request' | 'notification' | 'response';
  readonly era: Era;
  /** Modern: the revision of the request. Legacy: as `initialize` or the header names it; undefined if neither does. */
  readonly protocolVersion: string | undefined;
  /** The id as JSON text, to be written back unchanged; `null` for notifications. */
  readonly idJson: string;
  /** Empty for responses. */
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly progressToken: ProgressToken | undefined;
  /** `Mcp-Session-Id` of a legacy client; a modern one has none. */
  readonly sessionToken: string | undefined;
  /** Modern only: what this request's client can do, and what it claims to be. */
  readonly clientCapabilities: Readonly<Record<string, unknown>> | undefined;
  readonly clientInfo: Readonly<Record<string, unknown>> | undefined;
  /** For responses: their result or error. */
  readonly answer: unknown;
}

/**
 * Parses the body of a client's POST and decides its era.
 * @param body - the body's text, already bounded by its reader
 * @returns a message, or the protocol's own error (-32700, -32600, -32602, -32020, -32022) with its HTTP status
 */
export function parseClientMessage(
  body: string,
  headers: HeaderMap,
  depthMax: number = JSON_DEPTH_MAX,
): ClientMessage | ProtocolError {
  const keys = new EnvelopeKeys();
  let value: unknown;
  try {
    value = parseJson(body, depthMax, keys.onKey);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    if (error.kind === 'depth')
      return protocolError(400, ErrorCode.invalidRequest, `Invalid Request: ${error.message}`);
    return protocolError(400, ErrorCode.parse, 'Parse error: the body is not valid JSON');
  }
  if (Array.isArray(value)) return invalid('batches are not supported');
  if (!isObject(value)) return invalid('the body is not a JSON-RPC message');
  if (keys.problem !== undefined) return protocolError(400, ErrorCode.invalidRequest, keys.problem);
  if (value['jsonrpc'] !== '2.0') return invalid('"jsonrpc" must be "2.0"');
  return Object.hasOwn(value, 'method') ? parseCall(value, headers) : parseResponse(value, headers);
}

const invalid = (what: string, idJson = 'null'): ProtocolError =>
  protocolError(400, ErrorCode.invalidRequest, `Invalid Request: ${what}`, idJson);

/** The id as JSON text; undefined if it is neither a string nor an integer number. */
function idText(id: unknown): string | undefined {
  if (typeof id === 'string') return JSON.stringify(id);
  if (typeof id === 'number') return Number.isInteger(id) ? String(id) : undefined;
  // An integer past 2^53 is a legal id; it must come back to the digit.
  if (id instanceof LosslessNumber) return /^-?\d+$/.test(id.text) ? id.text : undefined;
  return undefined;
}

function parseResponse(value: Record<string, unknown>, headers: HeaderMap): ClientMessage | ProtocolError {
  const idJson = idText(value['id']);
  const hasResult = Object.hasOwn(value, 'result');
  if (hasResult === Object.hasOwn(value, 'error')) return invalid('the body is not a JSON-RPC message', idJson);
  if (idJson === undefined) return invalid('"id" must be a string or an integer');
  if (header(headers, 'mcp-protocol-version') === revision20260728.protocolVersion) {
    return invalid('this revision knows no responses from clients', idJson);
  }
  return {
    ...legacyFacts(headers),
    kind: 'response',
    idJson,
    method: '',
    params: {},
    meta: {},
    progressToken: undefined,
    answer: hasResult ? { result: value['result'] } : { error: value['error'] },
  };
}

function parseCall(value: Record<string, unknown>, headers: HeaderMap): ClientMessage | ProtocolError {
  const { method, params } = value;
  const isRequest = Object.hasOwn(value, 'id');
  const idJson = isRequest ? idText(value['id']) : 'null';
  if (idJson === undefined) return invalid('"id" must be a string or an integer');
  if (typeof method !== 'string' || method === '') return invalid('"method" must be a string', idJson);
  if (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')) return invalid('both call and answer', idJson);
  if (params !== undefined && !isObject(params)) {
    return protocolError(400, ErrorCode.invalidParams, 'Invalid params: "params" must be an object', idJson);
  }
  const meta = params?.['_meta'];
  if (meta !== undefined && !isObject(meta)) {
    return protocolError(400, ErrorCode.invalidParams, 'Invalid params: "_meta" must be an object', idJson);
  }
  const call = { kind: isRequest ? 'request' : 'notification', idJson, method, params: params ?? {}, meta: meta ?? {} };
  const message = withEra(call as Call, headers);
  if (message.kind === 'error') return message;
  return checkParams(message) ?? message;
}

type Call = Pick<ClientMessage, 'kind' | 'idJson' | 'method' | 'params' | 'meta'>;

function withEra(call: Call, headers: HeaderMap): ClientMessage | ProtocolError {
  const named = header(headers, 'mcp-protocol-version');
  const claimed = call.meta[META_PROTOCOL_VERSION];
  if (claimed === undefined && call.method === 'initialize' && named === revision20260728.protocolVersion) {
    return protocolError(400, ErrorCode.headerMismatch, 'initialize under a modern MCP-Protocol-Version', call.idJson);
  }
  const isModern = claimed !== undefined || named === revision20260728.protocolVersion;
  const progressToken = call.meta['progressToken'] as ProgressToken | undefined;
  if (!isModern) return legacyMessage(call, headers, progressToken);
  const problem =
    call.kind === 'notification' ? undefined : (checkEnvelope(call, named) ?? checkHeaders(call, headers));
  if (problem !== undefined) return problem;
  // Written out: a spread into a literal of this size costs 5 µs.
  return {
    kind: call.kind,
    idJson: call.idJson,
    method: call.method,
    params: call.params,
    meta: call.meta,
    era: 'modern',
    protocolVersion: revision20260728.protocolVersion,
    progressToken,
    sessionToken: undefined,
    clientCapabilities: call.meta[META_CLIENT_CAPABILITIES] as ClientMessage['clientCapabilities'],
    clientInfo: objectOrNothing(call.meta[META_CLIENT_INFO]),
    answer: undefined,
  };
}

function legacyMessage(
  call: Call,
  headers: HeaderMap,
  progressToken: ProgressToken | undefined,
): ClientMessage | ProtocolError {
  const facts = legacyFacts(headers);
  if (call.method === 'initialize') {
    const requested = call.params['protocolVersion'];
    if (typeof requested !== 'string') {
      return protocolError(200, ErrorCode.invalidParams, 'Invalid params: "protocolVersion" is missing', call.idJson);
    }
    return { ...facts, ...call, protocolVersion: requested, progressToken, answer: undefined };
  }
  if (facts.protocolVersion !== undefined && !LEGACY_VERSIONS.has(facts.protocolVersion)) {
    const message = `Bad Request: Unsupported protocol version (supported: ${[...LEGACY_VERSIONS].join(', ')})`;
    return protocolError(400, ErrorCode.legacyServer, message, call.idJson);
  }
  return {
    kind: call.kind,
    idJson: call.idJson,
    method: call.method,
    params: call.params,
    meta: call.meta,
    era: 'legacy',
    protocolVersion: facts.protocolVersion,
    progressToken,
    sessionToken: facts.sessionToken,
    clientCapabilities: undefined,
    clientInfo: undefined,
    answer: undefined,
  };
}

function legacyFacts(headers: HeaderMap) {
  return {
    era: 'legacy' as const,
    protocolVersion: header(headers, 'mcp-protocol-version'),
    sessionToken: header(headers, 'mcp-session-id'),
    clientCapabilities: undefined,
    clientInfo: undefined,
  };
}

function checkParams(message: ClientMessage): ProtocolError | undefined {
  const { progressToken, params } = message;
  const bad = (what: string) => protocolError(200, ErrorCode.invalidParams, `Invalid params: ${what}`, message.idJson);
  if (progressToken !== undefined && !isToken(progressToken)) {
    return bad('"progressToken" must be a string or a number');
  }
  if (message.method === LISTEN && message.era === 'modern' && asksForTools(params) === undefined) {
    return bad('"notifications" must be a filter of what to listen to');
  }
  if (message.method !== 'tools/call') return undefined;
  if (typeof params['name'] !== 'string') return bad('"name" must be a string');
  if (params['arguments'] !== undefined && !isObject(params['arguments'])) return bad('"arguments" must be an object');
  return undefined;
}

const isToken = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' || value instanceof LosslessNumber;

const objectOrNothing = (value: unknown) => (isObject(value) ? value : undefined);

/** One header's value without the optional white space around it; undefined if absent or sent twice. */
export function header(headers: HeaderMap, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value.trim() : undefined;
}
