import type { UniversalLogoutConfig } from './signals-config.js';
import type { MessageOnce, SignalsStore, Speaker } from './signals.store.js';
import { type MessageTerms, takenUntilMs, verifiedMessage } from './signed-message.js';
import { subjectIdsOf, SubjectUnclear } from './subject.js';

/** Seconds that a token of a request may be old; Okta's live five minutes. */
export const LOGOUT_AGE_MAX_S = 600;

/** The token was used before. */
export class LogoutRefused extends Error {
  override readonly name = 'LogoutRefused';
}

export interface UniversalLogoutParts {
  readonly terms: MessageTerms;
  readonly store: SignalsStore;
  readonly speaker: (address: string) => Speaker;
  readonly wallMs: () => number;
}

/**
 * A provider asks that everything of one person be revoked.
 * @see draft-parecki-oauth-global-token-revocation; Okta's Universal Logout
 */
export class UniversalLogout {
  constructor(
    readonly config: UniversalLogoutConfig,
    private readonly parts: UniversalLogoutParts,
  ) {}

  /** @throws MessageRefused; KeysAway where nothing can be said now */
  async verify(token: string): Promise<MessageOnce> {
    const { terms, wallMs } = this.parts;
    const claims = await verifiedMessage(token, terms, wallMs());
    return { tokenId: claims.jti, takenUntilMs: takenUntilMs(terms, claims) };
  }

  /**
   * @param text - the body, which names the person
   * @throws SubjectUnclear; LogoutRefused for a token that was used
   */
  async end(proof: MessageOnce, text: string, address: string): Promise<'done' | 'unknown'> {
    const { config, parts } = this;
    const subjects = subjectIdsOf(subjectOf(text));
    const holdsUntil = config.holdsTokens ? config.provider : undefined;
    const done = await parts.store.globalRevocation(proof, subjects, parts.speaker(address), holdsUntil);
    if (done === 'replayed') throw new LogoutRefused('jti: used before');
    return done;
  }
}

/** The draft's member is `sub_id`; its earlier versions, and Okta's own pages, say `subject`. */
function subjectOf(text: string): unknown {
  try {
    const body = JSON.parse(text) as { sub_id?: unknown; subject?: unknown } | null;
    return body?.sub_id ?? body?.subject;
  } catch {
    throw new SubjectUnclear('the body is no JSON');
  }
}
