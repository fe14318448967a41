/** What a provider says of somebody who signed in there before. */
export type StillThere =
  /** With the refresh token to ask by the next time. */
  | { readonly is: 'there'; readonly refreshToken: string }
  | { readonly is: 'gone' }
  /**
   * It could not be asked. `isUnclear`: it may have answered, and have given a new refresh token that did not arrive.
   */
  | { readonly is: 'away'; readonly isUnclear: boolean; readonly detail: string };

/** Failures of a connection that never stood: nothing was asked. */
const NEVER_ASKED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * What an error of the token endpoint says. Only `invalid_grant` is a word on the person: an unknown client, or too many
 * requests, say something of us, and a fault of the server nothing (RFC 6749 section 5.2).
 */
export function readRefusal(error: unknown): StillThere {
  const { error: code, status, cause } = error as { error?: unknown; status?: unknown; cause?: unknown };
  if (code === 'invalid_grant' && status === 400) return { is: 'gone' };
  const answered = typeof status === 'number' || cause instanceof Response;
  if (answered) {
    const what = typeof code === 'string' ? code : `${cause instanceof Response ? cause.status : String(status)}`;
    return { is: 'away', isUnclear: false, detail: what.slice(0, 100) };
  }
  const reason = codesOf(error).find((each) => NEVER_ASKED.has(each));
  return { is: 'away', isUnclear: reason === undefined, detail: reason ?? (codesOf(error)[0] || 'no answer') };
}

/** The codes of an error and of what caused it, from the outside in. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string') codes.push(code.slice(0, 100));
  }
  return codes;
}
