import { Pepper } from '@warder/contracts';
import { z } from 'zod';

export const CredentialsConfig = z.strictObject({
  database: z.strictObject({ url: z.string().min(1) }),
  /** The peppers with which the bearers of the admin door are looked up. */
  pepper: Pepper,
  secrets: z.strictObject({
    /** Directory of sealed files; ingress reads the same one. */
    dir: z.string().min(1),
    keyringFile: z.string().min(1),
    /** Makes directory and keyring when both are missing; for one machine, a cluster is given its keyring. */
    create: z.boolean().default(false),
  }),
});
export type CredentialsConfig = z.infer<typeof CredentialsConfig>;
