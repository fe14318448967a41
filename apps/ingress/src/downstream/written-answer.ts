import { encodeAnswer, encodeError, type Revision, toolError, type UrlRequestAnswer } from '@warder/mcp-wire';
import type { Outcome } from '../pipeline/gateway.js';
import type { Refusal } from '../pipeline/refusal.js';

/** An answer as it goes onto the wire. */
export interface WrittenAnswer {
  readonly status: number;
  /** JSON text of the message; the empty text: no body. */
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

const NO_HEADERS: WrittenAnswer['headers'] = {};
const SERVER = { name: 'warder', version: '0.1.0' };

/** Accepted, and nothing to say: notifications. */
export const ACCEPTED: WrittenAnswer = { status: 202, text: '', headers: NO_HEADERS };

/**
 * Writes an outcome for a request.
 * @param idJson - the request's id as JSON text
 */
export function writeOutcome(idJson: string, outcome: Outcome, revision: Revision | undefined): WrittenAnswer {
  if (outcome.kind !== 'answered') return writeRefusal(idJson, outcome.refusal, revision);
  const text = encoded(idJson, outcome);
  const headers = outcome.sessionToken === undefined ? NO_HEADERS : { 'mcp-session-id': outcome.sessionToken };
  return { status: 200, text, headers };
}

function encoded(idJson: string, { member, text }: UrlRequestAnswer): string {
  return member === 'result' ? encodeAnswer(idJson, text) : `{"jsonrpc":"2.0","id":${idJson},"error":${text}}`;
}

/** Writes a refusal: as a result that the model can read, or as an error under its HTTP status. */
export function writeRefusal(idJson: string, refusal: Refusal, revision: Revision | undefined): WrittenAnswer {
  const { telling, code, publicMessage } = refusal;
  const { asked } = refusal.facts;
  if (asked !== undefined && revision?.askToOpen !== undefined)
    return { status: 200, text: encoded(idJson, revision.askToOpen(asked, SERVER)), headers: NO_HEADERS };
  if (telling.as === 'tool-error' && revision !== undefined) {
    const result = toolError(`${publicMessage}. [${code}]`, code);
    const text = revision.encodeResult(result, SERVER);
    return { status: 200, text: encodeAnswer(idJson, text), headers: NO_HEADERS };
  }
  // What the protocol prescribes to the byte carries no code of ours: an unknown tool least of all.
  // A stranger's answer is the same whatever it asked for, its id included; and so is that of a server that is not there.
  const id = code === 'WDR_TOKEN_UNKNOWN' || code === 'WDR_VIRTUAL_SERVER_UNKNOWN' ? 'null' : idJson;
  const isOwn = telling.rpcCode < -31_000 && telling.rpcCode > -32_000;
  const data = refusal.facts.data ?? (isOwn ? { code } : undefined);
  return {
    status: telling.status,
    text: encodeError(id, telling.rpcCode, publicMessage, data),
    headers: headersOf(refusal),
  };
}

function headersOf(refusal: Refusal): WrittenAnswer['headers'] {
  const { retryAfterMs } = refusal.facts;
  if (retryAfterMs !== undefined) return { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) };
  switch (refusal.code) {
    case 'WDR_TOKEN_MISSING':
      return { 'www-authenticate': 'Bearer realm="warder"' };
    case 'WDR_TOKEN_UNKNOWN':
    case 'WDR_CALL_REVOKED':
      return { 'www-authenticate': 'Bearer realm="warder", error="invalid_token"' };
    case 'WDR_METHOD_NOT_ALLOWED':
      return { allow: 'POST, GET, DELETE' };
    default:
      return NO_HEADERS;
  }
}
