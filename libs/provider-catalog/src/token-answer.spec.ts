import { describe, expect, it } from 'vitest';
import { provider } from './providers.scene.js';
import { readTokenAnswer } from './token-answer.js';

const NOW_MS = 1_000_000;
const read = (id: string, status: number, body: unknown) =>
  readTokenAnswer(
    provider(id),
    'first',
    { status, body: typeof body === 'string' ? body : JSON.stringify(body) },
    NOW_MS,
  );

describe('an answer of a token endpoint', () => {
  it.each([
    ['invalid_grant', 400, 'terminal'],
    ['invalid_grant', 403, 'terminal'],
    ['invalid_client', 401, 'client'],
    ['unauthorized_client', 400, 'client'],
    ['invalid_request', 400, 'request'],
    ['temporarily_unavailable', 400, 'busy'],
    ['anything', 500, 'busy'],
    ['slow_down', 429, 'busy'],
  ])('with %s and %i is %s', (error, status, kind) => {
    expect(read('internal-oauth', status, { error })).toEqual({ failure: { kind, code: error } });
  });

  it.each([
    ['no JSON', 502, '<html>', { kind: 'busy', code: 'status_502' }],
    ['no JSON with 200', 200, '<html>', { kind: 'request', code: 'no_access_token' }],
    ['a token that is no text', 200, { access_token: 7.5 }, { kind: 'request', code: 'no_access_token' }],
    [
      'a token under a prototype',
      200,
      '{"__proto__":{"access_token":"x"}}',
      { kind: 'request', code: 'no_access_token' },
    ],
    [
      'an error beside a token',
      200,
      { access_token: 'x', error: 'invalid_grant' },
      { kind: 'terminal', code: 'invalid_grant' },
    ],
    ['401 without a code', 401, {}, { kind: 'client', code: 'status_401' }],
    ['a redirect', 302, '', { kind: 'request', code: 'status_302' }],
  ])('is a failure with %s', (_what, status, body, failure) => {
    expect(read('internal-oauth', status, body)).toEqual({ failure });
  });

  it('gives no text of the provider’s but a code: an error may hold what was sent', () => {
    const answer = read('internal-oauth', 400, { error: 'bad token "s3cret" in request', error_description: 's3cret' });
    expect(answer).toEqual({ failure: { kind: 'request', code: 'status_400' } });
  });

  it('takes seconds as a number or as digits, and the entry’s for anything else', () => {
    const expiry = (expires_in: unknown) => {
      const answer = read('internal-oauth', 200, { access_token: 'x', expires_in });
      return 'tokens' in answer ? answer.tokens.expiresAtMs : undefined;
    };
    expect(expiry(60)).toBe(NOW_MS + 60_000);
    expect(expiry('60')).toBe(NOW_MS + 60_000);
    expect(expiry(0)).toBe(NOW_MS);
    expect(expiry(-5)).toBe(NOW_MS + 300_000);
    expect(expiry('soon')).toBe(NOW_MS + 300_000);
    expect(expiry(undefined)).toBe(NOW_MS + 300_000);
  });

  it('leaves a refresh token out rather than giving an empty one', () => {
    expect(read('internal-oauth', 200, { access_token: 'x', refresh_token: '' })).toEqual({
      tokens: { accessToken: 'x', expiresAtMs: NOW_MS + 300_000, facts: {} },
    });
  });

  it('reads scopes that are parted otherwise than they were asked for', () => {
    expect(read('github-oauth-app', 200, { access_token: 'x', scope: 'repo,gist' })).toMatchObject({
      tokens: { scopes: ['repo', 'gist'] },
    });
  });

  it('keeps the facts that the entry names', () => {
    expect(
      read('salesforce', 200, { access_token: 'x', instance_url: 'https://acme.my.salesforce.com' }),
    ).toMatchObject({
      tokens: { facts: { instance_url: 'https://acme.my.salesforce.com' } },
    });
  });
});
