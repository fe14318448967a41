import { Name } from '@warder/contracts';
import { z } from 'zod';

export const TRANSMITTERS_MAX = 20;

/** A secret of 32 characters or more, or, for a file that others may read, `sha256:` and the hex of its digest. */
const PushBearer = z
  .string()
  .min(32, 'the bearer of a transmitter has 32 characters or more')
  .max(1_000)
  .regex(/^(?!sha256:)|^sha256:[0-9a-f]{64}$/, 'sha256: is followed by 64 hex digits in lower case')
  .regex(/^[\x21-\x7e]+$/, 'a bearer has printable ASCII characters and no space');

/** Signatures by key pairs only: with a shared secret whoever verifies could sign. */
export const SignatureAlgorithm = z.enum(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']);

/** Whose messages are taken, and by which keys they are verified. */
const Sender = {
  /** In addresses and records; never changed. */
  id: Name,
  /** `iss` of its messages. */
  issuer: z.url().max(500),
  /** Where its keys stand; otherwise in the metadata under its issuer. */
  jwksUrl: z.url().max(500).optional(),
  algorithms: z.array(SignatureAlgorithm).min(1).default(['RS256', 'PS256', 'ES256']),
  /** `iss` of subjects beside the sender's own, such as the issuer of an authorization server of the same company. */
  subjectIssuers: z.array(z.url().max(500)).max(10).default([]),
  /** The sender may stand on a private address, and there without TLS. */
  allowPrivateAddress: z.boolean().default(false),
};

/** A transmitter of the Shared Signals Framework. */
export const TransmitterConfig = z
  .strictObject({
    ...Sender,
    /** Of `signIn.providers`, whose people its subjects are; absent, people are known by their address alone. */
    provider: Name.optional(),
    /** `aud` of its messages, any of these. */
    audience: z.array(z.string().min(1).max(500)).min(1).max(5),
    /** Hours after which a message is too old: as long as the transmitter keeps one that could not be delivered. */
    maxAgeHours: z.int().min(1).max(720).default(168),
    /** It sends to `<publicUrl>/signals/push/<id>`. */
    push: z.strictObject({ bearer: PushBearer }).optional(),
    /** It is asked. */
    poll: z
      .strictObject({
        url: z.url().max(500),
        token: z.string().min(1).max(4_000),
        /** Seconds between two questions that were answered at once with nothing. */
        everySeconds: z.int().min(1).max(3_600).default(5),
        /** Seconds that the transmitter may keep a question open until there is something. */
        waitSeconds: z.int().min(1).max(120).default(30),
        /** Messages in one answer. */
        messagesMax: z.int().min(1).max(1_000).default(100),
      })
      .optional(),
  })
  .refine(({ push, poll }) => push !== undefined || poll !== undefined, 'name push, poll or both');
export type TransmitterConfig = z.infer<typeof TransmitterConfig>;

/** A provider that ends sessions by Global Token Revocation, such as Okta's Universal Logout. */
export const UniversalLogoutConfig = z.strictObject({
  ...Sender,
  /** Of `signIn.providers`, whose people its subjects are. */
  provider: Name,
  /** `aud` of its tokens, any of these beside `<publicUrl>/signals/universal-logout/<id>`. */
  audience: z.array(z.string().min(1).max(500)).max(5).default([]),
  /** Whether personal tokens are kept out as well, until the person has signed in at the provider again. */
  holdsTokens: z.boolean().default(true),
});
export type UniversalLogoutConfig = z.infer<typeof UniversalLogoutConfig>;

/** Who may say that somebody's access has ended, beside SCIM and back-channel logout. */
export const SignalsConfig = z.strictObject({
  transmitters: z.array(TransmitterConfig).max(TRANSMITTERS_MAX).refine(haveOwnIds, 'two have the same id').default([]),
  universalLogout: z
    .array(UniversalLogoutConfig)
    .max(TRANSMITTERS_MAX)
    .refine(haveOwnIds, 'two have the same id')
    .default([]),
  /** Of one sender, and of one address before anybody is known. */
  requestsPerMinute: z.int().min(1).max(1_000_000).default(1_200),
  /** Of these, at once. */
  burst: z.int().min(1).max(100_000).default(300),
  bodyBytesMax: z.int().min(1_024).max(1_048_576).default(65_536),
});
export type SignalsConfig = z.infer<typeof SignalsConfig>;

function haveOwnIds(given: readonly { readonly id: string }[]): boolean {
  return new Set(given.map(({ id }) => id)).size === given.length;
}
