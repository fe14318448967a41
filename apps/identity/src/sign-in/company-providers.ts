import { guardedFetch } from '@warder/egress';
import type { CompanyProvider } from './company-provider.js';
import { OidcSignIn } from './oidc-sign-in.js';
import { readKeys } from './saml/saml-keys.js';
import { SamlSignIn } from './saml/saml-sign-in.js';
import type { SignInConfig } from './sign-in-config.js';

const FETCH = { timeoutMs: 5_000, bytesMax: 262_144 };

/** The company's providers as they are configured. @throws Error where a key of one cannot be used */
export function companyProviders(
  configs: SignInConfig['providers'],
  parts: {
    readonly origin: string;
    readonly wallMs: () => number;
    readonly isFirst: (messageId: string) => Promise<boolean>;
  },
): CompanyProvider[] {
  const { origin, wallMs } = parts;
  return configs.map((config) => {
    if (config.kind === 'saml') return new SamlSignIn(config, { ...parts, keys: readKeys(config) });
    const { hostname } = new URL(config.issuer);
    // An operator named the provider; what its documents name in turn is public, or where the provider is itself.
    const isNamed = (url: URL): boolean => config.allowPrivateAddress && url.hostname === hostname;
    return new OidcSignIn(config, { origin: () => origin, fetch: guardedFetch({ ...FETCH, isNamed }), wallMs });
  });
}
