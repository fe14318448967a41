import { createPublicKey } from 'node:crypto';
import { z } from 'zod';

export const REPORTERS_MAX = 20;

const ReporterName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'a name is 1-40 of letters, digits, ".", "_", "-"');

/** An ECDSA key, as PEM. */
const PublicKey = z.string().max(4_000).refine(isEcKey, 'not the PEM of a public key for ECDSA');

/** How a reporter proves that it is one: by a bearer of its own, or by a signature of each report. */
const Reporter = z.union([
  z.strictObject({
    secret: z
      .string()
      .min(32, 'the secret of a reporter has 32 characters or more')
      .max(1_000)
      .regex(/^[\x21-\x7e]+$/, 'a secret has printable ASCII characters and no space'),
  }),
  z.strictObject({
    publicKeys: z
      .record(z.string().min(1).max(200), PublicKey)
      .refine((keys) => Object.keys(keys).length > 0, 'name one key at least'),
  }),
]);

/** Who may report tokens that leaked. Absent, the path answers 404. */
export const LeaksConfig = z.strictObject({
  /** By the name that stands in the records of what they ended. */
  reporters: z
    .record(ReporterName, Reporter)
    .refine((reporters) => Object.keys(reporters).length > 0, 'name one reporter at least')
    .refine((reporters) => Object.keys(reporters).length <= REPORTERS_MAX, `name ${REPORTERS_MAX} reporters at most`),
  /** Of one reporter, and of one address before anybody is known. */
  requestsPerMinute: z.int().min(1).default(60),
  /** Of these, at once. */
  burst: z.int().min(1).default(20),
  /** Texts in one report. */
  tokensMax: z.int().min(1).max(10_000).default(1_000),
  bodyBytesMax: z.int().min(1_024).default(1_048_576),
});
export type LeaksConfig = z.infer<typeof LeaksConfig>;

function isEcKey(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyType === 'ec';
  } catch {
    return false;
  }
}
