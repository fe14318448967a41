import { isSafeUrl } from '@warder/egress';
import { z } from 'zod';
import { exporterSettings } from './exporter-settings.js';
import { httpSettings, UNSAFE_URL } from './http-settings.js';

/** A signed webhook, in the form of Standard Webhooks. */
export const WebhookSettings = z
  .strictObject({
    kind: z.literal('webhook'),
    ...exporterSettings,
    ...httpSettings,
    /**
     * Mounted files of `whsec_` and 24 to 64 bytes in base64. With two, every post has both signatures: while a secret
     * is being changed the receiver may hold either.
     */
    secretFiles: z.array(z.string().min(1)).min(1).max(2),
  })
  .refine(isSafeUrl, UNSAFE_URL);
export type WebhookSettings = z.infer<typeof WebhookSettings>;
