import { ErrorCode, isObject, LosslessNumber, toolError } from '@warder/mcp-wire';
import type { UpstreamAnswer } from './upstream.js';
import { UpstreamFailure } from './upstream-failure.js';

/** Reads the answer in a JSON-RPC message. @throws UpstreamFailure (protocol) if it is none. */
export function readAnswer(message: Readonly<Record<string, unknown>>): UpstreamAnswer {
  const { result, error } = message;
  if (isObject(result)) return { result: screenType(result) };
  if (isObject(error)) {
    const code = numberOf(error['code']);
    const text = typeof error['message'] === 'string' ? error['message'] : 'the upstream gave no reason';
    const data = error['data'];
    return { error: { code: ownCode(code), message: text, ...(data === undefined ? {} : { data }) } };
  }
  throw new UpstreamFailure('protocol', 'the answer holds neither a result nor an error', true);
}

// An input request would go to the agent past the guardrails of results, and a task's result would come later and
// past them too: anything but a complete result ends here, as text of our own.
function screenType(result: Record<string, unknown>): Record<string, unknown> {
  const type = result['resultType'];
  if (type === undefined || type === 'complete') return withoutOurMeta(result);
  return type === 'input_required'
    ? toolError('The tool asked for further input, which this gateway does not carry.', 'WDR_INPUT_REQUIRED')
    : toolError('The tool answered with a kind of result that this gateway does not carry.', 'WDR_RESULT_TYPE');
}

// What `_meta` says under our name is ours to say: an upstream must not pass its text off as a refusal of this gateway.
function withoutOurMeta(result: Record<string, unknown>): Record<string, unknown> {
  const meta = result['_meta'];
  if (!isObject(meta) || !Object.keys(meta).some(isOurs)) return result;
  return { ...result, _meta: Object.fromEntries(Object.entries(meta).filter(([key]) => !isOurs(key))) };
}

const isOurs = (key: string): boolean => key.startsWith('warder/');

// These describe the hop between us and the upstream; the agent's hop has its own (MCP SDK, support-2026-07-28).
function ownCode(code: number): number {
  const isOfOtherHop = code <= ErrorCode.headerMismatch && code >= ErrorCode.versionUnsupported;
  return isOfOtherHop ? ErrorCode.internal : code;
}

function numberOf(value: unknown): number {
  const code = value instanceof LosslessNumber ? Number(value.text) : value;
  // Wider than clients hold a code in, it may be anything, a card number too.
  return typeof code === 'number' && (code | 0) === code ? code : ErrorCode.internal;
}
