import type { GuardedFetch } from '@warder/egress';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import * as client from 'openid-client';
import type { Answer, AttemptSecrets, CompanyProvider } from './company-provider.js';
import type { SignedInThere } from './people.store.js';
import { printable } from './printable.js';
import { readRefusal, type StillThere } from './still-there.js';
import type { OidcProviderConfig } from './sign-in-config.js';
import { verifiedAddress } from './verified-address.js';

/** Milliseconds after which a provider's own metadata is read again. */
const METADATA_MS = 3_600_000;

/** Milliseconds between two fetches of a provider's keys, whoever names keys that are not known. */
const KEYS_COOL_DOWN_MS = 30_000;

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Seconds after which a logout token is too old. */
const LOGOUT_AGE_S = 300;

/** Sign-in at a provider that speaks OpenID Connect: code with PKCE, nonce and `iss`, as a confidential client. */
export class OidcSignIn implements CompanyProvider {
  private keys: { readonly url: string; readonly set: ReturnType<typeof createRemoteJWKSet> } | undefined;
  private asking: Promise<client.Configuration> | undefined;
  private known: { readonly config: client.Configuration; readonly atMs: number } | undefined;

  constructor(
    readonly provider: OidcProviderConfig,
    private readonly parts: {
      readonly origin: () => string;
      readonly fetch: GuardedFetch;
      readonly wallMs: () => number;
    },
  ) {}

  /** The one address to which the provider sends people back (RFC 9700 section 4.4: a path for each issuer). */
  get redirectUri(): string {
    return `${this.parts.origin()}/sign-in/callback/${this.provider.id}`;
  }

  secrets(): AttemptSecrets {
    return { nonce: client.randomNonce(), verifier: client.randomPKCECodeVerifier() };
  }

  /** Where the browser is sent. @throws whatever keeps the provider away */
  async address(state: string, secrets: AttemptSecrets, loginHint?: string): Promise<string> {
    const { nonce = '', verifier = '' } = secrets;
    return client.buildAuthorizationUrl(await this.config(), {
      redirect_uri: this.redirectUri,
      scope: this.scopes().join(' '),
      ...this.questions(secrets),
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...(loginHint === undefined ? {} : { login_hint: loginHint }),
    }).href;
  }

  /**
   * Whom the provider vouches for, from the address it sent the browser back to.
   * @throws whatever is wrong with the answer, or keeps the provider away
   */
  async vouched({ query, state }: Answer, { nonce = '', verifier = '' }: AttemptSecrets): Promise<SignedInThere> {
    const tokens = await client.authorizationCodeGrant(await this.config(), new URL(this.redirectUri + query), {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims()!;
    const { sub, name, preferred_username: userName, auth_time: authenticatedAtS } = claims;
    const address = verifiedAddress(claims, this.provider.emailVerifiedClaim);
    const shown = [name, userName, address, sub].find((text) => typeof text === 'string' && text !== '') as string;
    return {
      provider: this.provider.id,
      subject: sub,
      name: printable(shown),
      email: address,
      groups: this.groupsOf(claims),
      authenticatedAtMs: typeof authenticatedAtS === 'number' ? authenticatedAtS * 1_000 : null,
      refreshToken: (this.isAskedLater ? tokens.refresh_token : undefined) ?? null,
    };
  }

  /** Whether somebody who signed in is still there, by what the provider gave to ask it by. Never throws. */
  async stillThere(refreshToken: string): Promise<StillThere> {
    try {
      const { refresh_token: next } = await client.refreshTokenGrant(await this.config(), refreshToken);
      return { is: 'there', refreshToken: next ?? refreshToken };
    } catch (error) {
      return readRefusal(error);
    }
  }

  /**
   * Of whom a logout token says that they are signed out.
   * @throws whatever is wrong with the token, or keeps the provider away
   */
  async loggedOut(token: string): Promise<{ subject: string; tokenId: string }> {
    const { issuer, jwks_uri: keys = '' } = (await this.config()).serverMetadata();
    const fetchKeys = this.parts.fetch as unknown as typeof fetch;
    // Fetched again for a key that is not known, one at a time and not sooner than after the cool-down: unknown keys are free.
    if (this.keys?.url !== keys) {
      const options = { [customFetch]: fetchKeys, timeoutDuration: 5_000, cooldownDuration: KEYS_COOL_DOWN_MS };
      this.keys = { url: keys, set: createRemoteJWKSet(new URL(keys), options) };
    }
    const { payload, protectedHeader } = await jwtVerify(token, this.keys.set, {
      issuer,
      audience: this.provider.clientId,
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      requiredClaims: ['jti', 'iat', 'events', 'sub'],
      maxTokenAge: LOGOUT_AGE_S,
      clockTolerance: 30,
    });
    const { typ } = protectedHeader;
    const events = payload['events'] as Record<string, unknown> | null;
    const isLogout = typeof events === 'object' && events !== null && Object.hasOwn(events, LOGOUT_EVENT);
    // An ID token is of the same signer and audience; it has a nonce, and no such event.
    if (!isLogout || payload['nonce'] !== undefined) throw new Error('no logout token');
    if (typ !== undefined && typ !== 'logout+jwt' && typ !== 'JWT') throw new Error('no logout token');
    return { subject: payload.sub!, tokenId: payload.jti! };
  }

  /** The provider's metadata and keys, asked for once for all who wait. @throws whatever keeps it away */
  async config(): Promise<client.Configuration> {
    const { known } = this;
    if (known !== undefined && this.parts.wallMs() - known.atMs < METADATA_MS) return known.config;
    return (this.asking ??= this.discover().finally(() => (this.asking = undefined)));
  }

  private async discover(): Promise<client.Configuration> {
    const { provider, parts } = this;
    const issuer = new URL(provider.issuer);
    const config = await client.discovery(
      issuer,
      provider.clientId,
      undefined,
      client.ClientSecretPost(provider.clientSecret),
      {
        [client.customFetch]: parts.fetch as unknown as client.CustomFetch,
        execute: issuer.protocol === 'http:' && provider.allowPrivateAddress ? [client.allowInsecureRequests] : [],
        timeout: 5,
      },
    );
    this.known = { config, atMs: parts.wallMs() };
    return config;
  }

  private get isAskedLater(): boolean {
    return this.provider.livenessMinutes !== undefined;
  }

  /** Google has a parameter of its own for it, and refuses the scope. */
  private get isGoogle(): boolean {
    return new URL(this.provider.issuer).hostname === 'accounts.google.com';
  }

  /**
   * What the person is to be asked at the provider. With `max_age` its token has to say when they were.
   * @see OpenID Connect Core 1.0 sections 2 and 3.1.2.1
   */
  private questions({ freshSinceMs }: AttemptSecrets): Record<string, string> {
    const isOffline = this.isAskedLater && this.isGoogle;
    const offline: Record<string, string> = isOffline ? { access_type: 'offline', prompt: 'consent' } : {};
    if (freshSinceMs === undefined) return offline;
    if (this.isGoogle) {
      // It has no way to ask for a sign-in, and tells its age to whom it lets ask for that.
      const claims = JSON.stringify({ id_token: { auth_time: { essential: true } } });
      return { ...offline, prompt: isOffline ? 'select_account consent' : 'select_account', claims };
    }
    const ageMaxS = Math.max(0, Math.floor((this.parts.wallMs() - Number(freshSinceMs)) / 1_000));
    return { prompt: 'login', max_age: String(ageMaxS) };
  }

  /** @see OpenID Connect Core 1.0 section 11 */
  private scopes(): readonly string[] {
    const { scopes, offlineAccess } = this.provider;
    const isScoped = this.isAskedLater && offlineAccess && !this.isGoogle && !scopes.includes('offline_access');
    return isScoped ? [...scopes, 'offline_access'] : scopes;
  }

  private groupsOf(claims: object): readonly string[] | null {
    const { groupsClaim } = this.provider;
    if (groupsClaim === undefined) return null;
    const value = (claims as Record<string, unknown>)[groupsClaim];
    const names = Array.isArray(value) ? value : typeof value === 'string' ? [value] : [];
    // Keycloak writes a group as its path.
    return names.filter((name) => typeof name === 'string').map((name) => (name as string).replace(/^\//, ''));
  }
}
