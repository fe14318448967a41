import { z } from 'zod';

/** What a finding is about. */
export const FindingCategory = z.enum(['secret', 'pii', 'injection', 'hidden']);
export type FindingCategory = z.infer<typeof FindingCategory>;
