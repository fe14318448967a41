import { z } from 'zod';
import { ApprovalWebhooks } from '../notices/webhook-settings.js';

/** Approvals by people. */
export const ApprovalsConfig = z.strictObject({
  /** Questions that are open at a time. */
  openMax: z.int().min(1).max(1_000_000).default(5_000),
  /** Of them, those about calls of one principal. */
  openPerPrincipalMax: z.int().min(1).max(100_000).default(20),
  /** Days that a question is shown after it was asked; its records stay as long as records do. */
  keepDays: z.int().min(1).max(3_650).default(30),
  /** Milliseconds between two looks for what nobody decided in time. */
  lookEveryMs: z.int().min(20).max(60_000).default(1_000),
  /** Decisions that one person may make in a minute. */
  decisionsPerMinute: z.int().min(1).max(10_000).default(60),
  /** Receivers that are told of questions and of what became of them. */
  webhooks: ApprovalWebhooks,
});
export type ApprovalsConfig = z.infer<typeof ApprovalsConfig>;
