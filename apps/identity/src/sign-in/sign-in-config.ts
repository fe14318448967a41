import { Name } from '@warder/contracts';
import { z } from 'zod';
import { SamlProviderConfig } from './saml/saml-config.js';

/** A provider that speaks OpenID Connect. */
export const OidcProviderConfig = z.strictObject({
  kind: z.literal('oidc'),
  /** In addresses and records; never changed, for people are known by it. */
  id: Name,
  /** On the button. */
  name: z.string().min(1).max(60),
  issuer: z.url(),
  clientId: z.string().min(1).max(300),
  clientSecret: z.string().min(1).max(1_024),
  scopes: z.array(z.string().min(1)).max(20).default(['openid', 'email', 'profile']),
  /** Claim of the ID token that names the person's groups; absent: groups are not the provider's to tell. */
  groupsClaim: z.string().min(1).max(100).optional(),
  /** Claim of the ID token that says that the address is the person's; Entra ID has `xms_edov` for it. */
  emailVerifiedClaim: z.string().min(1).max(100).default('email_verified'),
  /** People whose address ends in one of these are sent here. */
  emailDomains: z.array(z.string().min(1).max(253)).max(500).default([]),
  /** Whether somebody who is not known here becomes a principal at the first sign-in. */
  creates: z.boolean().default(true),
  /** Whether a principal that is there already is recognised by the address that the provider verified. */
  linksByEmail: z.boolean().default(true),
  /**
   * Minutes between two questions to the provider whether somebody who signed in there is still there, for those that
   * say nothing by themselves. Absent: it is not asked.
   */
  livenessMinutes: z.int().min(5).max(1_440).optional(),
  /**
   * Whether that is asked by a token that outlives the session at the provider (scope `offline_access`). Keycloak ends the
   * session for one, and then says nothing at a sign-out.
   */
  offlineAccess: z.boolean().default(true),
  /** The provider may stand on a private address, or (on this machine only) without TLS. */
  allowPrivateAddress: z.boolean().default(false),
});
export type OidcProviderConfig = z.infer<typeof OidcProviderConfig>;

/** How people sign in. */
export const SignInConfig = z.strictObject({
  providers: z
    .array(z.discriminatedUnion('kind', [OidcProviderConfig, SamlProviderConfig]))
    .max(20)
    .refine((providers) => new Set(providers.map(({ id }) => id)).size === providers.length, 'two have the same id')
    .default([]),
  /** Passwords of our own; unless said otherwise only where there is no provider. */
  local: z.boolean().optional(),
  /** Attempts to sign in from one address in a minute. */
  attemptsPerMinute: z.int().min(1).max(10_000).default(30),
  /** Passwords tried for one e-mail address in an hour, from wherever: what many addresses share is bounded too. */
  guessesPerHour: z.int().min(1).max(10_000).default(60),
  /** Passwords worked on at once, each for some 200 ms of a processor and 32 MiB: the process has four threads in all. */
  passwordsAtOnce: z.int().min(1).max(64).default(2),
  /** Passwords that wait for it; the next one is refused. */
  passwordsWaitingMax: z.int().min(0).max(10_000).default(32),
});
export type SignInConfig = z.infer<typeof SignInConfig>;
