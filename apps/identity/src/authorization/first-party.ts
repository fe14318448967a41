import type { ClientMetadata } from 'oidc-provider';

/** The account pages as the authorization server knows them: a client of our own, of which nobody is asked. */
export const ACCOUNT_CLIENT = 'warder-account';
/** Where a browser comes back to once it is signed in. */
export const SIGNED_IN_PATH = '/account/signed-in';

/**
 * Its registration. It is given neither code nor token (`response_type=none`, OAuth 2.0 Multiple Response Type Encoding
 * Practices section 4): all it wants is the browser's session.
 */
export function accountClient(origin: string): ClientMetadata {
  return {
    client_id: ACCOUNT_CLIENT,
    client_name: 'Warder',
    redirect_uris: [`${origin}${SIGNED_IN_PATH}`],
    grant_types: [],
    response_types: ['none'],
    token_endpoint_auth_method: 'none',
  };
}

/**
 * Where a browser is sent to be signed in to the account pages.
 * @param state - comes back with it
 * @param maxAgeS - seconds that its sign-in may be old; it is asked for a new one where it is older
 */
export function accountSignInUrl(state: string, maxAgeS?: number): string {
  const params = new URLSearchParams({ client_id: ACCOUNT_CLIENT, response_type: 'none', scope: 'openid', state });
  if (maxAgeS !== undefined) params.set('max_age', String(maxAgeS));
  return `/oauth/authorize?${params.toString()}`;
}
