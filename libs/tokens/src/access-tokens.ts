import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import type { GrantState, PrincipalState, SigningKeyState, TokenScopes } from '@warder/contracts';
import { type ActClaim, type ActorKind, type BadToken, type GivenFor, readSignedToken } from './signed-token.js';

/** Who acts for the principal. */
export interface Actor {
  readonly id: string;
  readonly kind: ActorKind;
}

/** A client that acts for a person, with what the person allowed it: the same over every refresh of its token. */
export interface ClientGrant {
  /** Of the grant. */
  readonly id: string;
  /** The client's name as it was registered. */
  readonly name: string;
  readonly principalId: string;
  /** When this access token was issued, wall milliseconds. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly scopes: TokenScopes;
  readonly client: { readonly id: string; readonly by: string };
  /** How the token was come by; `oauth` is a person's consent. */
  readonly kind: 'oauth' | GivenFor;
  /** The nearest first; empty unless the token was exchanged. */
  readonly actors: readonly Actor[];
  /** Further grants with whose end it ends. */
  readonly endsWith: readonly string[];
  /** When the person said who they are, wall milliseconds, where the token tells. */
  readonly authenticatedAtMs?: number;
}

/** Why an access token was refused; for the record and the operator, never for the one who presented it. */
export type AccessRefused =
  BadToken | 'expired' | 'audience' | 'scope' | 'grant-revoked' | 'principal-unknown' | 'signed-out' | 'actor-inactive';

export interface AccessTokenBounds {
  /** Tokens whose signature was verified and is not verified again. */
  readonly verifiedMax: number;
  /** Ended grants that are remembered. */
  readonly endedMax: number;
  /** Milliseconds that an ended grant is remembered past its end, for clocks that disagree. */
  readonly skewMs: number;
}

export const ACCESS_TOKEN_BOUNDS: AccessTokenBounds = { verifiedMax: 50_000, endedMax: 1_000_000, skewMs: 300_000 };

/** Nothing is cut off what the person may do: which tools an agent gets is said by grants of the policy. */
const WHOLE: TokenScopes = { tools: null };

const NOBODY: readonly Actor[] = [];
const NOTHING: readonly string[] = [];

interface Verified {
  readonly audience: string;
  readonly grant: ClientGrant;
}

/**
 * OAuth access tokens, verified in memory: by keys and ended grants that identity told of. A signature is verified once,
 * and remembered under the token's hash; what may change is looked at on every use.
 */
export class AccessTokens {
  private readonly keys = new Map<string, { readonly version: number; readonly key: KeyObject | undefined }>();
  private readonly ended = new Map<string, GrantState>();
  /** Tokens that expire by then may be of an ended grant that is no longer remembered. */
  private forgottenUntilMs = 0;
  private readonly verified = new Map<string, Verified>();

  /** @param issuer - of tokens that are taken; asked at use, for the port may not be known before */
  constructor(
    private readonly issuer: () => string,
    private readonly bounds: AccessTokenBounds = ACCESS_TOKEN_BOUNDS,
  ) {}

  /** Takes in a key, or lets it go. */
  applyKey(id: string, { version, status, jwk }: SigningKeyState): void {
    if (version <= (this.keys.get(id)?.version ?? 0)) return;
    this.keys.set(id, { version, key: status === 'active' ? createPublicKey({ key: jwk, format: 'jwk' }) : undefined });
    // Signatures by a key that is gone count no more.
    if (status !== 'active') this.verified.clear();
  }

  /** Takes in the end of a grant. @returns whether it is news */
  applyGrant(id: string, state: GrantState): boolean {
    if (state.version <= (this.ended.get(id)?.version ?? 0) || state.status !== 'revoked') return false;
    if (this.ended.size >= this.bounds.endedMax) this.forgetOldest();
    this.ended.set(id, state);
    return true;
  }

  /**
   * Who presents a token, and for which grant.
   * @param audience - the URL of the virtual server that is asked (RFC 8707)
   * @param principalOf - as last heard of; undefined where unknown
   */
  examine(
    bearer: string,
    audience: string,
    nowMs: number,
    principalOf: (id: string) => PrincipalState | undefined,
  ):
    | { readonly principal: PrincipalState; readonly token: ClientGrant }
    | AccessRefused
    | `principal-${'suspended' | 'removed'}` {
    const found = this.verify(bearer, nowMs);
    if (typeof found === 'string') return found;
    const { grant } = found;
    if (grant.expiresAtMs <= nowMs) return 'expired';
    if (found.audience !== audience) return 'audience';
    if (this.ended.has(grant.id) || grant.expiresAtMs <= this.forgottenUntilMs) return 'grant-revoked';
    if (grant.endsWith.length > 0 && grant.endsWith.some((id) => this.ended.has(id))) return 'grant-revoked';
    if (grant.actors.length > 0 && !grant.actors.every((actor) => isActing(actor, grant, principalOf)))
      return 'actor-inactive';
    const principal = principalOf(grant.principalId);
    if (principal === undefined) return 'principal-unknown';
    if (principal.status !== 'active') return `principal-${principal.status}`;
    if (isSignedOut(grant, principal)) return 'signed-out';
    return { principal, token: grant };
  }

  /** Forgets grants whose last token has expired. @param nowMs - wall milliseconds */
  sweep(nowMs: number): void {
    for (const [id, { expiresAtMs }] of this.ended) {
      if (expiresAtMs + this.bounds.skewMs <= nowMs) this.ended.delete(id);
    }
  }

  /** Past the bound the oldest end is let go, and with it every token as old as its own: the client refreshes, or is out. */
  private forgetOldest(): void {
    const [id, { expiresAtMs }] = this.ended.entries().next().value!;
    this.ended.delete(id);
    this.forgottenUntilMs = Math.max(this.forgottenUntilMs, expiresAtMs);
  }

  private verify(bearer: string, nowMs: number): Verified | AccessRefused {
    const digest = hash('sha256', bearer, 'base64');
    const known = this.verified.get(digest);
    if (known !== undefined) return known;
    const claims = readSignedToken(bearer, this.issuer(), nowMs, (kid) => this.keys.get(kid)?.key);
    if (typeof claims === 'string') return claims;
    const grant: ClientGrant = {
      id: claims.grant_id,
      name: claims.client_name,
      principalId: claims.sub,
      createdAtMs: Math.round(claims.iat * 1_000),
      expiresAtMs: claims.exp * 1_000,
      scopes: WHOLE,
      client: { id: claims.client_id, by: claims.client_by },
      kind: claims.given_for ?? 'oauth',
      actors: claims.act === undefined ? NOBODY : actorsOf(claims.act),
      endsWith: claims.ends_with ?? NOTHING,
      ...(claims.auth_time === undefined ? {} : { authenticatedAtMs: claims.auth_time * 1_000 }),
    };
    const found = { audience: claims.aud, grant };
    if (this.verified.size >= this.bounds.verifiedMax) this.verified.delete(this.verified.keys().next().value!);
    this.verified.set(digest, found);
    return found;
  }
}

/**
 * Whether somebody was signed out since a token was issued. One of the same millisecond is taken for older: nobody knows
 * which of the two came first, and a token that outlives the sign-out is worse than one that has to be asked for again.
 */
export function isSignedOut(
  { createdAtMs }: Pick<ClientGrant, 'createdAtMs'>,
  { signedOutAtMs }: Pick<PrincipalState, 'signedOutAtMs'>,
): boolean {
  return signedOutAtMs !== undefined && createdAtMs <= signedOutAtMs;
}

/** The actors of a claim, the nearest first. */
export function actorsOf(act: ActClaim): readonly Actor[] {
  const actors: Actor[] = [];
  for (let each: ActClaim | undefined = act; each !== undefined; each = each.act) {
    actors.push({ id: each.sub, kind: each.kind });
  }
  return actors;
}

/** A service account acts while it is active; whoever is of another domain, until the token expires. */
function isActing(
  { id, kind }: Actor,
  grant: ClientGrant,
  principalOf: (id: string) => PrincipalState | undefined,
): boolean {
  if (kind !== 'service') return true;
  const actor = principalOf(id);
  return actor?.status === 'active' && !isSignedOut(grant, actor);
}
