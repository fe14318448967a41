import { type GuardedFetch, guardedFetch } from '@warder/egress';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Company, COMPANY_SECRET } from './company.scene.js';
import { OidcSignIn } from './oidc-sign-in.js';
import { OidcProviderConfig } from './sign-in-config.js';

const ORIGIN = 'https://warder.example';
const GOOGLE = {
  kind: 'oidc',
  id: 'google',
  name: 'Acme',
  issuer: 'https://accounts.google.com',
  clientId: 'warder',
  clientSecret: COMPANY_SECRET,
};
const GOOGLE_METADATA = {
  issuer: GOOGLE.issuer,
  authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
  token_endpoint: 'https://oauth2.googleapis.com/token',
  jwks_uri: 'https://www.googleapis.com/oauth2/v3/certs',
  response_types_supported: ['code'],
};
const CHOOSE_AND_CONSENT = { prompt: 'select_account consent', access_type: 'offline' };
const company = new Company({});

beforeAll(async () => {
  await company.listen();
  company.serve(ORIGIN);
});
afterAll(() => company.close());

/** What the provider is asked for. */
async function scopesOf(settings: object): Promise<string | null> {
  const common = { kind: 'oidc', id: 'corp', name: 'Acme', issuer: company.issuer, clientId: 'warder' };
  const provider = OidcProviderConfig.parse({
    ...common,
    clientSecret: COMPANY_SECRET,
    allowPrivateAddress: true,
    ...settings,
  });
  const fetch = guardedFetch({ timeoutMs: 5_000, bytesMax: 262_144, isNamed: () => true });
  const signIn = new OidcSignIn(provider, { origin: () => ORIGIN, fetch, wallMs: Date.now });
  return new URL(await signIn.address('state', signIn.secrets())).searchParams.get('scope');
}

describe('what a provider is asked for', () => {
  it.each([
    ['who the person is, where nobody asks later', {}, 'openid email profile'],
    ['offline access, where it is asked later', { livenessMinutes: 5 }, 'openid email profile offline_access'],
    [
      'none, where the token is to end with the session',
      { livenessMinutes: 5, offlineAccess: false },
      'openid email profile',
    ],
  ])('is %s', async (_, settings, scopes) => {
    expect(await scopesOf(settings)).toBe(scopes);
  });

  it.each([
    ['nothing, where any sign-in will do', {}, false, { prompt: null, max_age: null, claims: null }],
    ['to let the person choose, and to tell when they signed in', {}, true, { prompt: 'select_account' }],
    ['the same with its consent, where it is asked later', { livenessMinutes: 5 }, true, CHOOSE_AND_CONSENT],
  ])('is of Google, which cannot be told to ask for a password, %s', async (_, settings, isFresh, asked) => {
    const google = OidcProviderConfig.parse({ ...GOOGLE, ...settings });
    const fetch = (async () => Response.json(GOOGLE_METADATA)) as unknown as GuardedFetch;
    const signIn = new OidcSignIn(google, { origin: () => ORIGIN, fetch, wallMs: Date.now });
    const secrets = { ...signIn.secrets(), ...(isFresh ? { freshSinceMs: String(Date.now()) } : {}) };
    const { searchParams } = new URL(await signIn.address('state', secrets));
    const told = Object.fromEntries(Object.keys(asked).map((name) => [name, searchParams.get(name)]));
    expect(told).toEqual(asked);
    expect(searchParams.get('claims')).toBe(isFresh ? '{"id_token":{"auth_time":{"essential":true}}}' : null);
  });
});
