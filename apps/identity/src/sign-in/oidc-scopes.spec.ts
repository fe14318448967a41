import { guardedFetch } from '@warder/egress';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Company, COMPANY_SECRET } from './company.scene.js';
import { OidcSignIn } from './oidc-sign-in.js';
import { OidcProviderConfig } from './sign-in-config.js';

const ORIGIN = 'https://warder.example';
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
});
