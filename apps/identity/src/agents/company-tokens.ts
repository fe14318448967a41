import type { GuardedFetch } from '@warder/egress';
import { decodeJwt, type JWTPayload, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose';
import type { PeopleStore } from '../sign-in/people.store.js';
import type { CompanyIssuer } from './agents-config.js';
import { ensureStanding, NotTaken, type Presented } from './presented.js';
import { remoteKeys } from './remote-keys.js';

const ID_JAG_TYP = 'oauth-id-jag+jwt';
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const CLOCK_TOLERANCE_S = 30;
const TOKEN_CHARS_MAX = 16_384;
const ID_CHARS_MAX = 256;

/** What an ID-JAG says, besides who the person is. */
export interface Assertion extends Presented {
  /** The virtual server and scope that it names, where it does. */
  readonly resource: string | undefined;
  readonly scope: string | undefined;
}

export interface CompanyTokensParts {
  readonly people: PeopleStore;
  /** Of Warder, the audience of an ID-JAG. */
  readonly origin: string;
  /** Seconds between an ID-JAG's `iat` and `exp` at most. */
  readonly lifetimeMaxS: number;
  wallMs(): number;
}

/** The word of configured providers on people: ID tokens to be exchanged, and ID-JAGs. */
export class CompanyTokens {
  private readonly known: ReadonlyMap<string, { readonly config: CompanyIssuer; readonly keys: JWTVerifyGetKey }>;

  constructor(
    issuers: readonly CompanyIssuer[],
    fetchKeys: GuardedFetch,
    private readonly parts: CompanyTokensParts,
  ) {
    this.known = new Map(
      issuers.map((config) => [config.issuer, { config, keys: remoteKeys(config.jwksUri, fetchKeys) }]),
    );
  }

  /**
   * The person of an ID token (OpenID Connect Core section 2) for one of the audiences that may exchange theirs.
   * @throws NotTaken with the reason
   */
  async idToken(text: string): Promise<Presented> {
    const { config, keys } = this.issuerOf(text);
    if (config.idTokenAudiences.length === 0) throw new NotTaken(`ID tokens of ${config.id} are not exchanged`);
    const { payload, typ } = await verified(text, keys, this.parts.wallMs(), {
      issuer: config.issuer,
      audience: config.idTokenAudiences,
      requiredClaims: ['sub', 'exp', 'iat'],
    });
    // Logout tokens, ID-JAGs and access tokens are of the same signer: each says what it is, or has what only it has.
    if ((typ !== undefined && typ.toUpperCase() !== 'JWT') || payload['events'] !== undefined)
      throw new NotTaken('no ID token');
    const { aud, azp } = payload;
    // Where it is for several, or names whom it was made for, it is that one who may exchange it (Core section 3.1.3.7).
    const party = azp ?? (Array.isArray(aud) && aud.length > 1 ? undefined : audienceOf(aud));
    if (typeof party !== 'string' || !config.idTokenAudiences.includes(party))
      throw new NotTaken('it was made for another client');
    return this.presented(config, payload);
  }

  /**
   * The person of an ID-JAG that is for this client and comes for the first time.
   * @throws NotTaken with the reason
   * @see draft-ietf-oauth-identity-assertion-authz-grant section 4
   */
  async idJag(text: string, clientId: string): Promise<Assertion> {
    const { config, keys } = this.issuerOf(text);
    if (!config.idJag) throw new NotTaken(`ID-JAGs of ${config.id} are not taken`);
    const { people, origin, lifetimeMaxS } = this.parts;
    const { payload } = await verified(text, keys, this.parts.wallMs(), {
      issuer: config.issuer,
      audience: origin,
      typ: ID_JAG_TYP,
      requiredClaims: ['jti', 'sub', 'exp', 'iat', 'client_id'],
    });
    const { aud, exp = 0, iat = 0, jti = '', resource, scope, client_id: forClient } = payload;
    if (Array.isArray(aud) && aud.length !== 1) throw new NotTaken('it is for others too');
    if (forClient !== clientId) throw new NotTaken('it is for another client');
    if (exp - iat > lifetimeMaxS || exp <= iat) throw new NotTaken(`it lives ${exp - iat} seconds`);
    if (typeof jti !== 'string' || jti.length === 0 || jti.length > ID_CHARS_MAX)
      throw new NotTaken('its jti is no id');
    const presented = await this.presented(config, payload);
    // Last of all: what is not taken for another reason may be presented again.
    const takenUntilMs = (exp + 2 * CLOCK_TOLERANCE_S) * 1_000;
    if (!(await people.isFirst(`id-jag/${config.id}/${jti}`, takenUntilMs))) throw new NotTaken('replayed');
    return {
      ...presented,
      resource: typeof resource === 'string' ? resource : undefined,
      scope: typeof scope === 'string' ? scope : undefined,
    };
  }

  private issuerOf(text: string): { config: CompanyIssuer; keys: JWTVerifyGetKey } {
    if (text.length > TOKEN_CHARS_MAX) throw new NotTaken('too long');
    let claims: JWTPayload;
    try {
      claims = decodeJwt(text);
    } catch {
      throw new NotTaken('malformed');
    }
    const known = this.known.get(claims.iss ?? '');
    if (known === undefined) throw new NotTaken('of an issuer that is not configured');
    return known;
  }

  private async presented(config: CompanyIssuer, payload: JWTPayload): Promise<Presented> {
    const { sub = '', exp = 0, iat = 0 } = payload;
    if (typeof sub !== 'string' || sub.length > ID_CHARS_MAX) throw new NotTaken('its sub is no id');
    const found = await this.parts.people.bySubject(config.provider ?? config.id, sub);
    const principal = ensureStanding(found ?? (await this.byEmail(config, payload)), iat * 1_000);
    return { principal, actors: [], expiresAtMs: exp * 1_000, endsWith: [], act: undefined, audience: undefined };
  }

  /** As at a sign-in; but here nobody becomes a principal. */
  private async byEmail(config: CompanyIssuer, { sub = '', email, email_verified: isVerified }: JWTPayload) {
    if (!config.linksByEmail || typeof email !== 'string' || email.length > 320 || isVerified !== true)
      return undefined;
    const provider = config.provider ?? config.id;
    return this.parts.people.recognised({ provider, subject: sub, name: email, email, groups: null });
  }
}

function audienceOf(aud: JWTPayload['aud']): string | undefined {
  return Array.isArray(aud) ? aud[0] : aud;
}

/** @throws NotTaken with the code of whatever is wrong, the keys being away included */
export async function verified(
  text: string,
  keys: JWTVerifyGetKey,
  nowMs: number,
  options: JWTVerifyOptions,
): Promise<{ payload: JWTPayload; typ: string | undefined }> {
  try {
    const bounds = { algorithms: ALGORITHMS, clockTolerance: CLOCK_TOLERANCE_S, currentDate: new Date(nowMs) };
    const { payload, protectedHeader } = await jwtVerify(text, keys, { ...bounds, ...options });
    const isAhead = (payload.iat ?? 0) > nowMs / 1_000 + CLOCK_TOLERANCE_S;
    if (isAhead) throw new NotTaken('from the future');
    return { payload, typ: protectedHeader.typ };
  } catch (error) {
    if (error instanceof NotTaken) throw error;
    const { code, claim, message } = error as { code?: string; claim?: string; message: string };
    throw new NotTaken(code === undefined ? message : `${code}${claim === undefined ? '' : ` (${claim})`}`);
  }
}
