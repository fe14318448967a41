import { z } from 'zod';
import { VaultSettings } from './vault/vault-settings.js';

/** Which store, and what it needs. Keys of the other one may stand there too, for a move from one to the other. */
export const SecretsSettings = z
  .strictObject({
    store: z.enum(['embedded', 'vault']).default('embedded'),
    /** Directory of sealed files. */
    dir: z.string().min(1).optional(),
    keyringFile: z.string().min(1).optional(),
    /** Makes directory and keyring when both are missing; for one machine, a cluster is given its keyring. */
    create: z.boolean().default(false),
    vault: VaultSettings.optional(),
  })
  .superRefine(({ store, dir, keyringFile, vault }, ctx) => {
    const missing = (key: string) => ctx.addIssue({ code: 'custom', path: [key], message: `missing for ${store}` });
    if (store === 'vault' && vault === undefined) missing('vault');
    if (store === 'embedded' && dir === undefined) missing('dir');
    if (store === 'embedded' && keyringFile === undefined) missing('keyringFile');
  });
export type SecretsSettings = z.infer<typeof SecretsSettings>;
