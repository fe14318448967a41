import { Pepper } from '@warder/contracts';
import { SecretsSettings } from '@warder/secrets';
import { z } from 'zod';
import { ConnectionsConfig } from './connections/connections-config.js';

export const CredentialsConfig = z.strictObject({
  database: z.strictObject({ url: z.string().min(1) }),
  /** The peppers with which the bearers of the admin door are looked up. */
  pepper: Pepper,
  secrets: SecretsSettings,
  nodes: z
    .strictObject({
      /** A file per ingress node, named after it, with the token by which it comes in; used once. */
      joinTokensDir: z.string().min(1).optional(),
      /** Days that an identity is good for; a node changes its key after two thirds of them. */
      identityDays: z.int().min(1).max(3_650).default(90),
    })
    .prefault({}),
  leases: z
    .strictObject({
      /** Seconds that a lease is good for; a token that ends sooner ends it. */
      secondsMax: z.int().min(5).max(900).default(900),
    })
    .prefault({}),
  connections: ConnectionsConfig.prefault({}),
});
export type CredentialsConfig = z.infer<typeof CredentialsConfig>;
