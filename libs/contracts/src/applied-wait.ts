import { z } from 'zod';

/** Query of a change that is administered: milliseconds to wait until every ingress node has applied it. */
export const AppliedWait = z.strictObject({ wait: z.coerce.number().int().min(0).max(60_000).optional() });
export type AppliedWait = z.infer<typeof AppliedWait>;
