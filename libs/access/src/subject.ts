import type { PrincipalState, Role, TokenScopes, TokenState } from '@warder/contracts';

/** Who asks, as far as a decision needs to know. */
export interface Subject {
  readonly id: string;
  readonly email: string | null;
  readonly groups: readonly string[];
  readonly roles: readonly Role[];
  /** What the presented token cuts; `null` when no token is part of the question. */
  readonly scopes: TokenScopes | null;
}

/** What of a token decides. One without a version never changes under its id. */
export type PresentedToken = Pick<TokenState, 'id' | 'scopes'> & Partial<Pick<TokenState, 'version'>>;

/** A principal with the token that was presented; `null` where `explain` asks without one. */
export interface Caller {
  readonly principal: PrincipalState;
  readonly token: PresentedToken | null;
}

/** The subject of a caller's request. */
export function subjectOf(caller: Caller): Subject {
  const { id, email, groups, roles } = caller.principal;
  return { id, email, groups, roles, scopes: caller.token ? caller.token.scopes : null };
}

/**
 * An e-mail address in the form in which grants compare it. Only A-Z are folded: Unicode's lower case turns the
 * Kelvin sign into `k`, and would let a look-alike address take another's grants.
 */
export function foldEmail(email: string): string {
  return email.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
