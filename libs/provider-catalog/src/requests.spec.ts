import { describe, expect, it } from 'vitest';
import { accountOf, accountRequest, credentialHeaders } from './account.js';
import { authorizationUrl, isAnswerOf } from './authorization-request.js';
import { stepAfterConsent } from './hooks/provider-hooks.js';
import type { ProviderSetup } from './provider-setup.js';
import { provider } from './providers.scene.js';
import { isRevoked, revocationRequests } from './revocation-request.js';
import { clientCredentialsRequest, codeRequest, exchangeRequest, refreshRequest } from './token-request.js';
import { parameterValues } from './url-template.js';

function setup(id: string, given: Record<string, string>, more: Partial<ProviderSetup> = {}): ProviderSetup {
  const entry = provider(id);
  return {
    entry,
    values: parameterValues(entry, given),
    clientId: 'client 1',
    authentication: { method: 'client_secret_basic', secret: 's:e/c+r=é' },
    ...more,
  };
}
const INTERNAL = {
  authorization_endpoint: 'https://login.internal.example/a',
  token_endpoint: 'http://login.internal.example:8080/t',
  revocation_endpoint: 'https://login.internal.example/r',
  userinfo_endpoint: 'https://login.internal.example/u',
};
const fields = (body: string | undefined) => Object.fromEntries(new URLSearchParams(body));

describe('a client proves itself', () => {
  it('by Basic with both parts form-encoded first, so that a colon is no end', () => {
    const { headers, body } = refreshRequest(setup('internal-oauth', INTERNAL), 'r', 'https://w.example/cb');
    expect(Buffer.from(headers['authorization']?.slice(6) ?? '', 'base64').toString()).toBe(
      'client+1:s%3Ae%2Fc%2Br%3D%C3%A9',
    );
    expect(fields(body)).toEqual({ grant_type: 'refresh_token', refresh_token: 'r' });
  });

  it('by an assertion, with its client id and without a secret', () => {
    const proof = { authentication: { method: 'private_key_jwt', assertion: () => 'a.b.c' } as const };
    const { headers, body } = clientCredentialsRequest(setup('internal-oauth', INTERNAL, proof), ['read']);
    expect(headers['authorization']).toBeUndefined();
    expect(fields(body)).toEqual({
      grant_type: 'client_credentials',
      scope: 'read',
      client_id: 'client 1',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'a.b.c',
    });
  });

  it('by nothing but its id where it is public', () => {
    const { body } = codeRequest(setup('gitlab', {}, { authentication: { method: 'none' } }), {
      code: 'c',
      redirectUri: 'https://w.example/cb',
      codeVerifier: 'v',
    });
    expect(fields(body)).toEqual({
      grant_type: 'authorization_code',
      code: 'c',
      redirect_uri: 'https://w.example/cb',
      code_verifier: 'v',
      client_id: 'client 1',
    });
  });
});

describe('a token of a person’s is exchanged', () => {
  it('as RFC 8693 has it', () => {
    const asked = { subjectToken: 's', scopes: ['data'], audience: 'data-api', resource: 'https://data.example/' };
    const request = exchangeRequest(setup('internal-oauth', INTERNAL), asked);
    expect(fields(request.body)).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 's',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'data-api',
      resource: 'https://data.example/',
      scope: 'data',
    });
  });

  it('as Microsoft has it', () => {
    const asked = { subjectToken: 'assertion', scopes: ['api://data/read'] };
    const request = exchangeRequest(setup('entra', { tenant: 'acme' }), asked);
    expect(request.url.href).toBe('https://login.microsoftonline.com/acme/oauth2/v2.0/token');
    expect(fields(request.body)).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: 'assertion',
      requested_token_use: 'on_behalf_of',
      // None of those that a consent asks for.
      scope: 'api://data/read',
    });
  });
});

describe('a request of the catalogue', () => {
  it('has an answer without an issuer where no document says one', () => {
    expect(isAnswerOf(setup('gitlab', {}), null)).toBe(true);
    expect(isAnswerOf(setup('gitlab', {}), 'https://gitlab.com')).toBe(true);
  });

  it('says who named its host', () => {
    expect(refreshRequest(setup('internal-oauth', INTERNAL), 'r', '')).toMatchObject({ namedBy: 'operator' });
    expect(refreshRequest(setup('notion', {}), 'r', '')).toMatchObject({ namedBy: 'catalogue' });
  });

  it('is not there where its endpoint was not said', () => {
    const { token_endpoint } = INTERNAL;
    const at = setup('internal-oauth', { token_endpoint });
    expect(accountRequest(at, 'a')).toBeUndefined();
    expect(revocationRequests(at, { accessToken: 'a' })).toEqual([]);
    expect(clientCredentialsRequest(at).url.href).toBe(token_endpoint);
    const consent = { redirectUri: 'https://w.example/cb', state: 's', codeChallenge: 'x' };
    expect(() => authorizationUrl(at, consent)).toThrow('authorization_endpoint has no value');
  });

  it('sends no revocation of a token that is not held', () => {
    expect(revocationRequests(setup('gitlab', {}), { accessToken: '' })).toEqual([]);
    expect(revocationRequests(setup('github-app', {}), { refreshToken: 'r' })).toEqual([]);
  });

  it('puts a client id into a path without letting it leave its place', () => {
    const [request] = revocationRequests(setup('github-app', {}, { clientId: '../x?y' }), { accessToken: 'a' });
    expect(request?.url.href).toBe('https://api.github.com/applications/..%2Fx%3Fy/grant');
  });

  it('leaves what a token looks like to the token', () => {
    const [request] = revocationRequests(setup('notion', {}), { accessToken: '$&{client_id}"' });
    expect(JSON.parse(request?.body ?? '')).toEqual({ token: '$&{client_id}"' });
    expect(credentialHeaders(setup('notion', {}), "$'$&")['authorization']).toBe("Bearer $'$&");
  });

  it('takes Slack’s word that a token was not good any more, and no other failure of it', () => {
    const { entry } = setup('slack', {});
    const says = (error: string) => isRevoked(entry, { status: 200, body: JSON.stringify({ ok: false, error }) });
    expect(says('token_revoked')).toBe(true);
    expect(says('ratelimited')).toBe(false);
  });
});

describe('an id_token', () => {
  const token = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
  const of = (idToken: string) =>
    accountOf(setup('google', {}, { clientId: 'client-1' }), { accessToken: 'a', facts: {}, idToken });

  it('names the account', () => {
    expect(of(token({ aud: ['client-1', 'b'], sub: '1', email: 'a@b.example' }))).toEqual({
      id: '1',
      name: 'a@b.example',
    });
  });

  it.each([
    ['for another client', token({ aud: 'client-2', sub: '1' })],
    ['without a subject', token({ aud: 'client-1' })],
    ['that is none', 'x'],
  ])('%s names none', (_what, idToken) => {
    expect(of(idToken)).toBeUndefined();
  });
});

describe('the step after a consent at Atlassian', () => {
  const at = setup('atlassian', { site: 'acme.atlassian.net' });
  const step = stepAfterConsent(at.entry);
  const answer = (body: unknown, status = 200) => step?.read(at, { status, body: JSON.stringify(body) });
  const site = (id: string, url: string) => ({ id, url, name: 'A', scopes: ['read:jira-work'] });

  it('asks with the new token which sites it reaches', () => {
    expect(step?.request(at, 'a-1')).toMatchObject({
      method: 'GET',
      headers: { authorization: 'Bearer a-1' },
      url: new URL('https://api.atlassian.com/oauth/token/accessible-resources'),
    });
  });

  it('finds the cloud id of the one site, and of no other', () => {
    const other = site('c-2', 'https://other.atlassian.net');
    expect(answer([other, site('c-1', 'https://acme.atlassian.net')])).toEqual({ cloud_id: 'c-1' });
    expect(answer([other])).toBeUndefined();
    expect(answer([])).toBeUndefined();
    expect(answer({ id: 'c-1' })).toBeUndefined();
    expect(answer([site('c-1', 'https://acme.atlassian.net')], 403)).toBeUndefined();
  });

  it('is not there for other providers', () => {
    expect(stepAfterConsent(provider('github-app'))).toBeUndefined();
  });
});
