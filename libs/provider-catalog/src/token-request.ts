import type { ProviderEntry } from './provider-entry.js';
import { basicCredentials, bodyOf, type ProviderRequest, type ProviderSetup } from './provider-setup.js';
import { scopesOf } from './authorization-request.js';
import { renderUrl } from './url-template.js';

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** The code for tokens (RFC 6749 section 4.1.3); the verifier goes only where a challenge went. */
export function codeRequest(
  setup: ProviderSetup,
  code: { readonly code: string; readonly redirectUri: string; readonly codeVerifier: string },
): ProviderRequest {
  const { pkce } = setup.entry.authorization;
  return tokenRequest(setup, 'authorization_code', {
    grant_type: 'authorization_code',
    code: code.code,
    redirect_uri: code.redirectUri,
    ...(pkce === 'none' ? {} : { code_verifier: code.codeVerifier }),
  });
}

/**
 * A refresh (RFC 6749 section 6). Without `scope`, so that what was granted stays what is granted.
 * @param redirectUri - of the consent; sent only where the provider wants it again
 */
export function refreshRequest(setup: ProviderSetup, refreshToken: string, redirectUri: string): ProviderRequest {
  return tokenRequest(setup, 'refresh_token', {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    ...(setup.entry.refresh.sendsRedirectUri ? { redirect_uri: redirectUri } : {}),
  });
}

/** A token for our client itself (RFC 6749 section 4.4). */
export function clientCredentialsRequest(setup: ProviderSetup, scopes?: readonly string[]): ProviderRequest {
  return tokenRequest(setup, 'client_credentials', { grant_type: 'client_credentials', ...scopeField(setup, scopes) });
}

/** What a person's token is exchanged with. */
export interface TokenExchange {
  /** An access token of the person's. */
  readonly subjectToken: string;
  /** As they stand, and no others: those that an entry always asks for are of consents. Null: none. */
  readonly scopes: readonly string[] | null;
  readonly audience?: string;
  readonly resource?: string;
}

/**
 * A token of the person's for another one (RFC 8693 section 2.1), or, where the entry knows only that, on their behalf in
 * Microsoft's form: the token is an assertion of the grant jwt-bearer, and the entry says on whose behalf.
 */
export function exchangeRequest(setup: ProviderSetup, exchange: TokenExchange): ProviderRequest {
  const { subjectToken, scopes, audience, resource } = exchange;
  const said = Object.entries({ audience, resource, scope: scopes?.join(setup.entry.scopes.separator) });
  const named = Object.fromEntries(said.filter(([, value]) => value !== undefined && value !== '')) as Record<
    string,
    string
  >;
  if (!setup.entry.grants.includes('token_exchange')) {
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    return tokenRequest(setup, 'on_behalf_of', { grant_type, assertion: subjectToken, ...named });
  }
  return tokenRequest(setup, 'token_exchange', {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    requested_token_type: ACCESS_TOKEN,
    ...named,
  });
}

function scopeField(setup: ProviderSetup, wanted?: readonly string[]): Record<string, string> {
  const scope = scopesOf(setup, wanted).join(setup.entry.scopes.separator);
  return scope === '' ? {} : { scope };
}

function tokenRequest(
  setup: ProviderSetup,
  grant: keyof ProviderEntry['token']['parameters'],
  own: Readonly<Record<string, string>>,
): ProviderRequest {
  const { token } = setup.entry;
  const client = clientProof(setup);
  const { headers, body } = bodyOf(token.body, { ...token.parameters[grant], ...own, ...client.fields });
  return {
    ...renderUrl(setup.entry, token.endpoint, setup.values),
    method: 'POST',
    headers: { accept: 'application/json', ...lowerCase(token.headers), ...headers, ...client.headers },
    body,
  };
}

/** Header names in one form, so that none of an entry's stands beside one of ours. */
export function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** How a client proves itself at the token endpoint, and at a revocation endpoint of RFC 7009. */
export function clientProof(setup: Pick<ProviderSetup, 'clientId' | 'authentication'>): {
  readonly headers: Record<string, string>;
  readonly fields: Record<string, string>;
} {
  const { clientId, authentication } = setup;
  switch (authentication.method) {
    case 'client_secret_basic':
      return { headers: { authorization: basicCredentials(clientId, authentication.secret) }, fields: {} };
    case 'client_secret_post':
      return { headers: {}, fields: { client_id: clientId, client_secret: authentication.secret } };
    case 'private_key_jwt':
      return {
        headers: {},
        fields: {
          client_id: clientId,
          client_assertion_type: JWT_BEARER,
          client_assertion: authentication.assertion(),
        },
      };
    case 'none':
      return { headers: {}, fields: { client_id: clientId } };
  }
}
