import { isObject } from '@warder/mcp-wire';
import type { HttpAnswer } from './http-exchange.js';
import type { HttpSession } from './http-session.js';

const SESSION_REFUSALS: ReadonlySet<unknown> = new Set([-32_000, -32_001, -32_022]);

/** Whether the upstream does not know the session, or our era, any more: then it refused the call unread. */
export function isForgotten(session: HttpSession, answer: HttpAnswer): boolean {
  const error = answer.message?.['error'];
  const code = isObject(error) ? error['code'] : undefined;
  if (session.era === 'legacy') {
    if (session.sessionId === undefined) return false;
    // 404 is what the specification says; servers of the reference collection say 400 with -32000, and one that became
    // modern names its versions.
    return answer.status === 404 || (answer.status === 400 && SESSION_REFUSALS.has(code));
  }
  // An upstream that became legacy refuses what it does not understand with 400 and no modern error.
  return answer.status === 400 && !isModernRefusal(code);
}

/** Whether the upstream misses an argument in the headers. */
export function isHeaderRefusal(answer: HttpAnswer): boolean {
  const error = answer.status === 400 ? answer.message?.['error'] : undefined;
  return isObject(error) && error['code'] === -32_020;
}

const isModernRefusal = (code: unknown) => typeof code === 'number' && code <= -32020 && code >= -32099;
