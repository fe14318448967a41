import { Pepper } from '@warder/contracts';
import { z } from 'zod';

export const GuardrailsConfig = z.strictObject({
  database: z.strictObject({ url: z.string().min(1) }),
  /** The peppers with which the bearers of the admin door are looked up. */
  pepper: Pepper,
});
export type GuardrailsConfig = z.infer<typeof GuardrailsConfig>;
