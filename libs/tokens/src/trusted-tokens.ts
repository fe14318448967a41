import { constants, createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import type { PrincipalState, TrustedIssuerState, TrustedKey } from '@warder/contracts';
import { type AccessRefused, type ClientGrant, isSignedOut } from './access-tokens.js';

/** Characters of a token of the company's at most: some name every group that somebody is in. */
export const TRUSTED_TOKEN_CHARS_MAX = 8_192;
const AUDIENCES_MAX = 16;
const TEXT_CHARS_MAX = 512;
const RSA_BITS_MIN = 2_048;
/** Seconds that the clock of whoever signed may be ahead of ours. */
const SKEW_S = 60;
const VERIFIED_MAX = 50_000;
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

type Algorithm = TrustedKey['algorithm'];
type Claims = Readonly<Record<string, unknown>>;

interface Verified {
  readonly audiences: readonly string[];
  readonly subject: string;
  readonly grant: Omit<ClientGrant, 'principalId'>;
}

/** How a signature is checked, by the algorithm of the key and never by what a token says (RFC 8725 section 3.1). */
const CHECKS: Readonly<Record<Algorithm, (signed: Buffer, key: KeyObject, signature: Buffer) => boolean>> = {
  RS256: (signed, key, signature) => verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PADDING }, signature),
  PS256: (signed, key, signature) =>
    verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature),
  ES256: (signed, key, signature) => verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature),
  EdDSA: (signed, key, signature) => verify(null, signed, key, signature),
};

/**
 * Access tokens of the company's own authorization server (RFC 9068), verified in memory by the keys that identity told
 * of. A signature is verified once, and remembered under the token's hash; what may change is looked at on every use.
 */
export class TrustedTokens {
  private state: TrustedIssuerState | undefined;
  private readonly keys = new Map<string, { readonly algorithm: Algorithm; readonly key: KeyObject }>();
  private readonly verified = new Map<string, Verified>();

  /** Takes in what the company's authorization server is now. Signatures by keys that are gone count no more. */
  apply(state: TrustedIssuerState): void {
    if (state.version <= (this.state?.version ?? 0)) return;
    this.state = state;
    this.verified.clear();
    this.keys.clear();
    if (state.status !== 'active') return;
    for (const { id, algorithm, jwk } of state.keys) {
      const key = keyOf(jwk);
      if (key !== undefined) this.keys.set(id, { algorithm, key });
    }
  }

  /** The company's authorization server; undefined where tokens are had from Warder's own. */
  current(): TrustedIssuerState | undefined {
    return this.state?.status === 'active' ? this.state : undefined;
  }

  /** Whether the token says to be of that issuer: then it is judged here, and nowhere else. */
  isOf(bearer: string): boolean {
    const state = this.current();
    if (state === undefined || bearer.length > TRUSTED_TOKEN_CHARS_MAX) return false;
    if (this.verified.has(digestOf(bearer))) return true;
    return jsonOf(bearer.split('.', 2)[1] ?? '')?.['iss'] === state.issuer;
  }

  /**
   * Who presents a token of the issuer.
   * @param audience - the URL of the virtual server that is asked (RFC 8707)
   * @param principalOf - of a subject, as last heard of; undefined where unknown
   */
  examine(
    bearer: string,
    audience: string,
    nowMs: number,
    principalOf: (provider: string, subject: string) => PrincipalState | undefined,
  ):
    | { readonly principal: PrincipalState; readonly token: ClientGrant }
    | AccessRefused
    | `principal-${'suspended' | 'removed'}` {
    const state = this.current();
    if (state === undefined) return 'issuer';
    const found = this.verify(bearer, state, nowMs);
    if (typeof found === 'string') return found;
    const { grant } = found;
    if (grant.expiresAtMs <= nowMs) return 'expired';
    if (!found.audiences.includes(audienceOf(state, audience))) return 'audience';
    const principal = principalOf(state.subjectsOf, found.subject);
    if (principal === undefined) return 'principal-unknown';
    if (principal.status !== 'active') return `principal-${principal.status}`;
    if (isSignedOut(grant, principal)) return 'signed-out';
    return { principal, token: { ...grant, principalId: principal.id } };
  }

  private verify(bearer: string, state: TrustedIssuerState, nowMs: number): Verified | AccessRefused {
    const digest = digestOf(bearer);
    const known = this.verified.get(digest);
    if (known !== undefined) return known;
    const claims = this.read(bearer, state);
    if (typeof claims === 'string') return claims;
    const found = verifiedOf(claims, state, nowMs);
    if (typeof found === 'string') return found;
    if (this.verified.size >= VERIFIED_MAX) this.verified.delete(this.verified.keys().next().value!);
    this.verified.set(digest, found);
    return found;
  }

  private read(text: string, { types }: TrustedIssuerState): Claims | AccessRefused {
    if (text.length > TRUSTED_TOKEN_CHARS_MAX || !COMPACT.test(text)) return 'malformed';
    const [head = '', body = '', seal = ''] = text.split('.');
    const header = jsonOf(head);
    if (header === undefined || header['crit'] !== undefined) return 'malformed';
    const { kid, alg, typ } = header;
    const found = typeof kid === 'string' ? this.keys.get(kid) : undefined;
    if (found === undefined) return 'key-unknown';
    if (alg !== found.algorithm || !types.includes(typeOf(typ))) return 'malformed';
    const signature = Buffer.from(seal, 'base64url');
    // One signature is written in one way: without this, a token could be made to look like another one.
    if (signature.toString('base64url') !== seal) return 'signature';
    const signed = Buffer.from(text.slice(0, head.length + 1 + body.length), 'latin1');
    if (!isSigned(found, signed, signature)) return 'signature';
    return jsonOf(body) ?? 'malformed';
  }
}

function verifiedOf(claims: Claims, state: TrustedIssuerState, nowMs: number): Verified | AccessRefused {
  const { iss, sub, aud, iat, exp, nbf } = claims;
  if (iss !== state.issuer) return 'issuer';
  const client = claims['client_id'] ?? claims['azp'];
  const audiences = typeof aud === 'string' ? [aud] : aud;
  if (!isText(sub) || !isText(client) || !isTime(iat) || !isTime(exp)) return 'malformed';
  if (!Array.isArray(audiences) || audiences.length > AUDIENCES_MAX || !audiences.every(isText)) return 'malformed';
  if (nbf !== undefined && !isTime(nbf)) return 'malformed';
  if (Math.max(iat, nbf ?? 0) > nowMs / 1_000 + SKEW_S) return 'not-yet-valid';
  if (state.scope !== null && !scopesOf(claims).includes(state.scope)) return 'scope';
  return {
    audiences,
    subject: sub,
    grant: {
      // The same over every refresh: what runs under it is one agent's.
      id: `ext_${hash('sha256', JSON.stringify([iss, client, sub]), 'base64url').slice(0, 32)}`,
      name: client,
      createdAtMs: Math.round(iat * 1_000),
      expiresAtMs: exp * 1_000,
      scopes: { tools: null },
      client: { id: client, by: state.issuer },
      kind: 'oauth',
      actors: [],
      endsWith: [],
    },
  };
}

/** What `aud` must name for the virtual server at the URL. */
function audienceOf({ audiences }: TrustedIssuerState, url: string): string {
  const name = url.slice(url.lastIndexOf('/') + 1);
  return Object.hasOwn(audiences, name) ? audiences[name]! : url;
}

/** RFC 8693 section 4.2 has one text; some have a list, or call it `scp`. */
function scopesOf({ scope, scp }: Claims): readonly unknown[] {
  return [scope, scp].flatMap((each) => (typeof each === 'string' ? each.split(' ') : Array.isArray(each) ? each : []));
}

/** RFC 7515 section 4.1.9: `application/` may be left out, and the case does not count. */
function typeOf(typ: unknown): string {
  if (typ === undefined) return '';
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '?';
}

function isSigned({ algorithm, key }: { algorithm: Algorithm; key: KeyObject }, signed: Buffer, seal: Buffer): boolean {
  try {
    return CHECKS[algorithm](signed, key, seal);
  } catch {
    // A key of another kind than its algorithm's, or no signature at all.
    return false;
  }
}

/** Undefined for what is no key, or too weak a one. */
function keyOf(jwk: TrustedKey['jwk']): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength;
    return bits !== undefined && bits < RSA_BITS_MIN ? undefined : key;
  } catch {
    return undefined;
  }
}

function digestOf(bearer: string): string {
  return hash('sha256', bearer, 'base64');
}

function jsonOf(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_CHARS_MAX;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
