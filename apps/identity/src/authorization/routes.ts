import type { AuthorizationConfig } from './authorization-config.js';

/** Paths of the authorization server; all others of it are under `/oauth`. */
export const ROUTES = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  registration: '/oauth/register',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  jwks: '/oauth/jwks',
  end_session: '/oauth/sign-out',
  userinfo: '/oauth/userinfo',
  code_verification: '/oauth/device',
  device_authorization: '/oauth/device/auth',
  challenge: '/oauth/challenge',
  pushed_authorization_request: '/oauth/par',
  backchannel_authentication: '/oauth/backchannel',
} as const;

/** How it was established who a client is. */
export function registeredBy(clientId: string, config: AuthorizationConfig): 'advance' | 'document' | 'registration' {
  if (config.clients.some(({ id }) => id === clientId)) return 'advance';
  return clientId.startsWith('https://') ? 'document' : 'registration';
}
