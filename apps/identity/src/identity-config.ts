import { Pepper } from '@warder/contracts';
import { z } from 'zod';
import { AgentsConfig } from './agents/agents-config.js';
import { AccountConfig } from './account/account-config.js';
import { AuthorizationConfig } from './authorization/authorization-config.js';
import { GroupRules } from './group-rules.js';
import { LeaksConfig } from './leaks/leaks-config.js';
import { ScimConfig } from './scim/scim-config.js';
import { SignalsConfig } from './signals/signals-config.js';
import { SignInConfig } from './sign-in/sign-in-config.js';

export const IdentityConfig = z
  .strictObject({
    database: z.strictObject({ url: z.string().min(1) }),
    /** The current one makes the digests of new tokens. */
    pepper: Pepper,
    tokens: z
      .strictObject({
        /** Days that a token lives when its request names none. */
        defaultDays: z.int().min(1).max(3_650).default(90),
        maxDays: z.int().min(1).max(3_650).default(365),
        /** Active tokens of one principal at most. */
        perPrincipalMax: z.int().min(1).max(1_000).default(100),
        /** Seconds that the old secret of a rotated token works on when its request names none. */
        defaultGraceSeconds: z.int().min(0).max(31_536_000).default(3_600),
        graceSecondsMax: z.int().min(0).max(31_536_000).default(604_800),
      })
      .refine(({ defaultDays, maxDays }) => defaultDays <= maxDays, {
        path: ['defaultDays'],
        message: 'is more than maxDays',
      })
      .refine(({ defaultGraceSeconds, graceSecondsMax }) => defaultGraceSeconds <= graceSecondsMax, {
        path: ['defaultGraceSeconds'],
        message: 'is more than graceSecondsMax',
      })
      .prefault({}),
    authorization: AuthorizationConfig.refine(({ mode, trusted }) => mode === 'own' || trusted !== undefined, {
      path: ['trusted'],
      message: 'is required in the mode resource-server',
    }).prefault({}),
    signIn: SignInConfig.prefault({}),
    agents: AgentsConfig.prefault({}),
    account: AccountConfig.prefault({}),
    /**
     * Where the first administrator's token is left (mode 0600) when the service starts with no principal at all. A
     * token that already stands there is taken, so that a start that was cut short can be repeated.
     */
    bootstrapTokenFile: z.string().min(1).optional(),
    /** What groups of a directory, or of a provider's claims, mean here; unless said otherwise, groups of the same names, normalised. */
    groupRules: GroupRules.default([{ from: '*' }]),
    scim: ScimConfig.optional(),
    leakedTokens: LeaksConfig.optional(),
    signals: SignalsConfig.prefault({}),
    /** Seconds between two sign-outs of the canary, by which nodes measure how fast revocations are; 0: none. */
    canarySeconds: z.int().min(0).max(3_600).default(30),
  })
  .refine(({ signals, signIn }) => namesProviders(signals, signIn), {
    path: ['signals'],
    message: 'a sender names a provider that signIn.providers does not have',
  });
export type IdentityConfig = z.infer<typeof IdentityConfig>;

function namesProviders({ transmitters, universalLogout }: SignalsConfig, { providers }: SignInConfig): boolean {
  const known = new Set(providers.map(({ id }) => id));
  return [...transmitters, ...universalLogout].every(({ provider }) => provider === undefined || known.has(provider));
}
