import type { GuardedFetch } from '@warder/egress';
import type { JWTVerifyGetKey } from 'jose';
import type { TrustDomain } from './agents-config.js';
import { verified } from './company-tokens.js';
import { NotTaken } from './presented.js';
import { remoteKeys } from './remote-keys.js';

const TOKEN_CHARS_MAX = 8_192;
const SUBJECT_CHARS_MAX = 256;

/** A workload that proved itself. */
export interface Workload {
  readonly domain: TrustDomain;
  readonly subject: string;
  /** Who vouched for it. */
  readonly issuer: string;
  readonly expiresAtMs: number;
}

/**
 * Tokens by which workloads prove who they are: JWT-SVIDs (SPIFFE JWT-SVID section 3) and the service-account tokens of
 * a Kubernetes cluster, each for the one audience that is configured.
 */
export class WorkloadTokens {
  private readonly domains: ReadonlyMap<string, { readonly domain: TrustDomain; readonly keys: JWTVerifyGetKey }>;

  constructor(
    domains: readonly TrustDomain[],
    fetchKeys: GuardedFetch,
    private readonly wallMs: () => number,
  ) {
    this.domains = new Map(
      domains.map((domain) => [domain.id, { domain, keys: remoteKeys(domain.jwksUri, fetchKeys) }]),
    );
  }

  /** Whether workloads come by this OAuth client. */
  has(clientId: string): boolean {
    return this.domains.has(clientId);
  }

  /** @throws NotTaken with the reason */
  async examine(clientId: string, text: string): Promise<Workload> {
    const { domain, keys } = this.domains.get(clientId)!;
    if (text.length > TOKEN_CHARS_MAX) throw new NotTaken('too long');
    const { payload, typ } = await verified(text, keys, this.wallMs(), {
      audience: domain.audience,
      requiredClaims: ['sub', 'exp'],
      ...(domain.kind === 'kubernetes' ? { issuer: domain.issuer } : {}),
    });
    if (typ !== undefined && !['JWT', 'JOSE'].includes(typ)) throw new NotTaken('no token of a workload');
    const { sub: subject = '', exp = 0 } = payload;
    // The issuer of a JWT-SVID proves nothing; the trust domain stands in its subject.
    const prefix = domain.kind === 'spiffe' ? `spiffe://${domain.trustDomain}/` : 'system:serviceaccount:';
    const isOfDomain = subject.startsWith(prefix) && subject.length > prefix.length;
    if (!isOfDomain || subject.length > SUBJECT_CHARS_MAX) throw new NotTaken(`its sub is not of ${domain.id}`);
    const issuer = domain.kind === 'spiffe' ? `spiffe://${domain.trustDomain}` : domain.issuer;
    return { domain, subject, issuer, expiresAtMs: exp * 1_000 };
  }
}
