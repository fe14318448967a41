import type { FakeProviderRules, IssuedTokens } from '@warder/testing';

/** What the documents named in each entry say, written down a second time as a server would hold a client to it. */
export type Rules = FakeProviderRules;
type Answer = ReturnType<Rules['token']['failure']>;

export const json = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });
export const rfc6749 = (why: 'code' | 'refresh' | 'client') =>
  why === 'client' ? json(401, { error: 'invalid_client' }) : json(400, { error: 'invalid_grant' });
export const plain =
  (expiresIn: number | undefined, more: object = {}) =>
  (issued: IssuedTokens) => ({
    access_token: issued.accessToken,
    token_type: 'bearer',
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
    ...(issued.refreshToken === undefined ? {} : { refresh_token: issued.refreshToken }),
    scope: issued.scopes.join(' '),
    ...more,
  });
export const idToken = (claims: object) =>
  `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify({ aud: 'client-1', ...claims })).toString('base64url')}.c2ln`;
export const ok = () => json(200, {});
export const okOrInvalid = (wasGood: boolean) => (wasGood ? json(200, {}) : json(400, { error: 'invalid_token' }));
