import { type KeyObject, verify } from 'node:crypto';

/** Characters of an access token at most; ours have some 700, and some 200 more for each actor. */
export const ACCESS_TOKEN_CHARS_MAX = 4_096;
/** Actors of a chain at most, and grants with which a token ends. */
export const ACTORS_MAX = 4;
const ENDS_WITH_MAX = 8;
const ACTOR_ID_CHARS_MAX = 256;
/** Seconds that the clock of whoever signed may be ahead of ours. */
const SKEW_S = 60;
const SIGNATURE_BYTES = 64;
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** What an actor is: a service account of Warder's, or a workload that a trust domain vouches for. */
export type ActorKind = 'service' | 'spiffe' | 'kubernetes';

/** Who acts, and for whom that one acted before (RFC 8693 section 4.1): the outermost is the nearest. */
export interface ActClaim {
  readonly sub: string;
  /** Who vouches for it; absent for those of our own. */
  readonly iss?: string;
  readonly kind: ActorKind;
  readonly act?: ActClaim;
}

/** What a token was given for, where it was not a person's consent. */
export type GivenFor = 'client-credentials' | 'token-exchange' | 'id-jag';

/** The claims of an access token (RFC 9068 section 2.2) that are read; times in seconds since the epoch. */
export interface AccessClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly client_id: string;
  readonly iat: number;
  readonly exp: number;
  /** Id of what the person allowed the client. */
  readonly grant_id: string;
  readonly client_name: string;
  /** How the client's identity was established. */
  readonly client_by: string;
  /** When the person said who they are, where the token is for the admin doors (RFC 9470 section 6.2). */
  readonly auth_time?: number;
  /** Absent: a person's consent. */
  readonly given_for?: GivenFor;
  readonly act?: ActClaim;
  /** Ids of further grants with whose end this token ends: those of the tokens that it was exchanged for. */
  readonly ends_with?: readonly string[];
}

/** Why a signed token was refused, for the record. */
export type BadToken = 'malformed' | 'key-unknown' | 'signature' | 'issuer' | 'not-yet-valid';

/**
 * The claims of a token that was signed by a known key of the issuer. Whether it has expired, for whom it is and whether
 * it was revoked is the caller's to ask, at each use. Synchronous, for the call path waits for nothing; the algorithm is
 * the key's own and never the header's (RFC 8725 sections 3.1, 3.11).
 * @param keyOf - the key of a `kid`, for ES256; undefined for one that is not known
 */
export function readSignedToken(
  text: string,
  issuer: string,
  nowMs: number,
  keyOf: (kid: string) => KeyObject | undefined,
): AccessClaims | BadToken {
  if (text.length > ACCESS_TOKEN_CHARS_MAX || !COMPACT.test(text)) return 'malformed';
  const [head = '', body = '', seal = ''] = text.split('.');
  const header = jsonOf(head);
  if (header?.['alg'] !== 'ES256' || header['typ'] !== 'at+jwt' || header['crit'] !== undefined) return 'malformed';
  const { kid } = header;
  const key = typeof kid === 'string' ? keyOf(kid) : undefined;
  if (key === undefined) return 'key-unknown';
  const signature = Buffer.from(seal, 'base64url');
  // One signature is written in one way: without this, a cut-off token could be made to look like another one.
  if (signature.length !== SIGNATURE_BYTES || signature.toString('base64url') !== seal) return 'signature';
  const signed = Buffer.from(text.slice(0, head.length + 1 + body.length), 'latin1');
  if (!verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)) return 'signature';
  const claims = jsonOf(body);
  if (!isClaims(claims)) return 'malformed';
  if (claims.iss !== issuer) return 'issuer';
  if (claims.iat > nowMs / 1_000 + SKEW_S) return 'not-yet-valid';
  return claims;
}

function jsonOf(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isClaims(claims: object | undefined): claims is AccessClaims {
  const { iss, sub, aud, client_id, grant_id, client_name, client_by, iat, exp, auth_time } = (claims ??
    {}) as Partial<AccessClaims>;
  const texts = [iss, sub, aud, client_id, grant_id, client_name, client_by];
  if (!texts.every((text) => typeof text === 'string') || !Number.isFinite(iat) || !Number.isFinite(exp)) return false;
  if (auth_time !== undefined && !Number.isFinite(auth_time)) return false;
  return isOfAgent(claims as AccessClaims);
}

const GIVEN_FOR = new Set<unknown>([undefined, 'client-credentials', 'token-exchange', 'id-jag']);
const ACTOR_KINDS = new Set<unknown>(['service', 'spiffe', 'kubernetes']);

/** What names actors and ends is of its form, or the token is none: half of a chain must not pass for the whole. */
function isOfAgent({ given_for: givenFor, act, ends_with: endsWith }: AccessClaims): boolean {
  if (!GIVEN_FOR.has(givenFor)) return false;
  if (endsWith !== undefined) {
    if (!Array.isArray(endsWith) || endsWith.length > ENDS_WITH_MAX) return false;
    if (!endsWith.every((id) => typeof id === 'string')) return false;
  }
  let actors = 0;
  for (let actor = act as Partial<ActClaim> | undefined; actor !== undefined; actor = actor.act) {
    actors += 1;
    if (actors > ACTORS_MAX || typeof actor !== 'object' || actor === null) return false;
    const { sub, iss, kind } = actor;
    if (typeof sub !== 'string' || sub.length > ACTOR_ID_CHARS_MAX || !ACTOR_KINDS.has(kind)) return false;
    if (iss !== undefined && typeof iss !== 'string') return false;
  }
  return true;
}
