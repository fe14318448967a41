import { guardedFetch } from '@warder/egress';
import type { CompanyProvider } from './company-provider.js';
import { OidcSignIn } from './oidc-sign-in.js';
import type { SignInConfig } from './sign-in-config.js';

const FETCH = { timeoutMs: 5_000, bytesMax: 262_144 };

/** The company's providers as they are configured. */
export function companyProviders(
  configs: SignInConfig['providers'],
  parts: { readonly origin: string; readonly wallMs: () => number },
): CompanyProvider[] {
  const { origin, wallMs } = parts;
  return configs.map((config) => {
    const { hostname } = new URL(config.issuer);
    // An operator named the provider; what its documents name in turn is public, or where the provider is itself.
    const isNamed = (url: URL): boolean => config.allowPrivateAddress && url.hostname === hostname;
    return new OidcSignIn(config, { origin: () => origin, fetch: guardedFetch({ ...FETCH, isNamed }), wallMs });
  });
}
