import { z } from 'zod';

/** Body of `POST /admin/guardrails/approvals/ID/decision`. */
export const DecideApproval = z.strictObject({
  decision: z.enum(['approve', 'deny']),
  /** Stands in the record; the agent is told that of a denial. */
  reason: z.string().trim().min(1).max(500),
});
export type DecideApproval = z.infer<typeof DecideApproval>;

/** Query of `GET /admin/guardrails/approvals`. */
export const ApprovalsQuery = z.strictObject({
  status: z.enum(['pending', 'approved', 'denied', 'expired', 'outdated', 'redeemed']).optional(),
  limit: z.coerce.number().int().min(1).max(500).optional(),
  /** Of the page before. */
  cursor: z.string().min(1).max(200).optional(),
});
export type ApprovalsQuery = z.infer<typeof ApprovalsQuery>;
