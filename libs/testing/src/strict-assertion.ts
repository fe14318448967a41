import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';

/** What an assertion has to be, to the letter: RFC 7523 section 3, and the JOSE documents behind it. */
export interface AssertionRules {
  readonly typ: string;
  readonly issuer: string;
  /** Undefined: whoever it names. */
  readonly subject?: string;
  readonly audience: string;
  /** Claims beside the registered ones that it may have. */
  readonly claims?: readonly string[];
  /** Seconds that it may be good for. */
  readonly secondsMax: number;
}

/** The claims that were asserted. */
export interface AssertedClaims {
  readonly sub: string;
  readonly jti: string;
  readonly [claim: string]: unknown;
}

const REGISTERED = ['iss', 'sub', 'aud', 'jti', 'iat', 'exp'];
const SKEW_SECONDS = 5;

/**
 * Reads an assertion as a server does that takes nothing but what its documents say.
 * @param seen - ids of assertions that came before: none is taken twice
 * @throws Error that says what is not as it has to be
 */
export function readAssertion(
  text: string,
  keys: readonly JsonWebKey[],
  rules: AssertionRules,
  seen: Set<string>,
): AssertedClaims {
  const parts = text.split('.');
  const [head = '', body = '', seal = ''] = parts;
  ensure(parts.length === 3 && parts.every((part) => /^[\w-]+$/.test(part)), 'no compact JWS');
  const header = jsonOf(head);
  ensure(Object.keys(header).toSorted().join() === 'alg,kid,typ', 'the header has other members');
  ensure(header['typ'] === rules.typ, `typ is not ${rules.typ}`);
  const jwk = keys.find(({ kid }) => kid === header['kid']);
  ensure(jwk !== undefined, 'no key has this kid');
  ensure(jwk?.['alg'] === header['alg'] && jwk?.['use'] === 'sig', 'the key is not for this algorithm');
  ensure(jwk?.['d'] === undefined, 'the key set tells a private key');
  const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${body}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(seal, 'base64url'),
  );
  ensure(isSigned, 'the signature is wrong');
  const claims = jsonOf(body);
  const may = [...REGISTERED, ...(rules.claims ?? [])];
  for (const name of Object.keys(claims)) ensure(may.includes(name), `the claim ${name} has no place here`);
  for (const name of REGISTERED) ensure(claims[name] !== undefined, `there is no ${name}`);
  const { iss, sub, aud, jti, iat, exp } = claims;
  ensure(iss === rules.issuer, 'iss is another');
  ensure(typeof sub === 'string' && (rules.subject === undefined || sub === rules.subject), 'sub is another');
  ensure(aud === rules.audience, 'aud is another');
  const nowS = Date.now() / 1_000;
  ensure(typeof iat === 'number' && typeof exp === 'number', 'iat and exp are no numbers');
  ensure(Number(exp) > nowS - SKEW_SECONDS && Number(iat) < nowS + SKEW_SECONDS, 'it is not now');
  ensure(Number(exp) - Number(iat) <= rules.secondsMax, 'it is good for too long');
  ensure(typeof jti === 'string' && !seen.has(jti), 'it came before');
  seen.add(String(jti));
  return claims as unknown as AssertedClaims;
}

function ensure(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

function jsonOf(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
}
