import { z } from 'zod';

/** Body of `POST /admin/guardrails/approvals/ID/decision`. */
export const DecideApproval = z.strictObject({
  decision: z.enum(['approve', 'deny']),
  /** Stands in the record; the agent is told that of a denial. */
  reason: z.string().trim().min(1).max(500),
});
export type DecideApproval = z.infer<typeof DecideApproval>;
