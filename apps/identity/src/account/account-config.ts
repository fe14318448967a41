import { z } from 'zod';

/** The pages where people see to what is theirs. */
export const AccountConfig = z.strictObject({
  /** Changes that one person may make there in a minute. */
  changesPerMinute: z.int().min(1).max(10_000).default(30),
});
export type AccountConfig = z.infer<typeof AccountConfig>;
