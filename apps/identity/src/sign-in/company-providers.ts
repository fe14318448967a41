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
    const isNamed = (): boolean => config.allowPrivateAddress;
    return new OidcSignIn(config, { origin: () => origin, fetch: guardedFetch({ ...FETCH, isNamed }), wallMs });
  });
}
