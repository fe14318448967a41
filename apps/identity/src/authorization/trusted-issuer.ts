import { type TRUSTED_ALGORITHMS, type TrustedIssuerState, TrustedKey } from '@warder/contracts';
import type { GuardedFetch } from '@warder/egress';
import { SCIM_SUBJECTS } from '../principal.entity.js';
import type { TrustedIssuerConfig } from './trusted-issuer-config.js';

const KEYS_MAX = 64;

/** Where a server says what it is: RFC 8414 first, OpenID Connect Discovery for those that have only that. */
const WELL_KNOWN = ['oauth-authorization-server', 'openid-configuration'] as const;

type Algorithm = (typeof TRUSTED_ALGORITHMS)[number];
type Members = Readonly<Record<string, unknown>>;

/** What an issuer is now, but for its version. */
export type IssuerFacts = Omit<TrustedIssuerState, 'version'>;

/**
 * Asks the company's authorization server for its keys of now.
 * @throws Error that says what kept them away, in words for the operator
 */
export async function issuerFacts(config: TrustedIssuerConfig, fetch: GuardedFetch): Promise<IssuerFacts> {
  const { issuer, types, audiences, scope, subjectsOf } = config;
  const address = config.jwksUri ?? (await discovered(issuer, fetch));
  const { keys } = await documentAt(address, fetch);
  if (!Array.isArray(keys)) throw new Error(`${address} has no keys`);
  return {
    status: 'active',
    issuer,
    types: types.map((type) => type.toLowerCase()),
    audiences,
    scope: scope ?? null,
    subjectsOf: subjectsOf === 'scim' ? SCIM_SUBJECTS : subjectsOf,
    keys: usableKeys(keys as unknown[], config.algorithms),
  };
}

/** @see RFC 8414 section 3.1: the well-known part comes before the issuer's path; in OpenID Connect behind it */
async function discovered(issuer: string, fetch: GuardedFetch): Promise<string> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  let why: unknown;
  for (const name of WELL_KNOWN) {
    const places = [`${origin}/.well-known/${name}${path}`, `${origin}${path}/.well-known/${name}`];
    for (const place of new Set(places)) {
      try {
        const metadata = await documentAt(place, fetch);
        // Whoever answers for another issuer must not say whose keys these are (RFC 8414 section 3.3).
        if (metadata['issuer'] !== issuer) throw new Error(`${place} speaks for another issuer`);
        if (typeof metadata['jwks_uri'] !== 'string') throw new Error(`${place} names no keys`);
        return metadata['jwks_uri'];
      } catch (error) {
        why ??= error;
      }
    }
  }
  throw why;
}

async function documentAt(address: string, fetch: GuardedFetch): Promise<Members> {
  const response = await fetch(address, { headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new Error(`${address} answers ${response.status}`);
  const value: unknown = await response.json();
  if (typeof value !== 'object' || value === null) throw new Error(`${address} is no document`);
  return value as Members;
}

/** Keys for signatures, with the one algorithm that each is used with. */
function usableKeys(keys: readonly unknown[], allowed: readonly Algorithm[]): TrustedKey[] {
  const usable = keys.flatMap((key) => {
    const { kid, kty, use, alg } = (typeof key === 'object' && key !== null ? key : {}) as Members;
    if (typeof kid !== 'string' || kid === '' || kid.length > 200 || (use !== undefined && use !== 'sig')) return [];
    const algorithm = alg ?? defaultOf(kty);
    if (!allowed.some((each) => each === algorithm)) return [];
    const read = TrustedKey.safeParse({ id: kid, algorithm, jwk: key });
    return read.success && isOfKind(read.data) ? [read.data] : [];
  });
  // Two keys of one id are none: which of them was meant is not ours to choose.
  const ids = usable.map(({ id }) => id);
  return usable.filter(({ id }) => ids.indexOf(id) === ids.lastIndexOf(id)).slice(0, KEYS_MAX);
}

/** Many say no algorithm of their RSA keys, and mean RS256 (as Entra ID does). */
function defaultOf(kty: unknown): Algorithm | undefined {
  return kty === 'RSA' ? 'RS256' : kty === 'EC' ? 'ES256' : kty === 'OKP' ? 'EdDSA' : undefined;
}

function isOfKind({ algorithm, jwk }: TrustedKey): boolean {
  return jwk.kty === (algorithm === 'ES256' ? 'EC' : algorithm === 'EdDSA' ? 'OKP' : 'RSA');
}
