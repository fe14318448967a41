import { Pepper } from '@warder/contracts';
import { z } from 'zod';

export const PolicyConfig = z.strictObject({
  database: z.strictObject({ url: z.string().min(1) }),
  /** The peppers with which the bearers of the admin door are looked up. */
  pepper: Pepper,
  /** Path of a `warder.yaml`: then it is the whole truth, and `PUT` is refused. */
  policyFile: z.string().min(1).optional(),
  /** Versions of the document that are kept, the current one included. */
  versionsKept: z.int().min(1).max(100_000).default(1_000),
});
export type PolicyConfig = z.infer<typeof PolicyConfig>;
