import { Pepper } from '@warder/contracts';
import { z } from 'zod';
import { ApprovalsConfig } from './approvals/approvals-config.js';

export const GuardrailsConfig = z.strictObject({
  database: z.strictObject({ url: z.string().min(1) }),
  /** The peppers with which the bearers of the admin door are looked up. */
  pepper: Pepper,
  approvals: ApprovalsConfig.prefault({}),
});
export type GuardrailsConfig = z.infer<typeof GuardrailsConfig>;
