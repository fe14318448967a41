import { z } from 'zod';
import { ApprovalId } from '../approval-id.js';
import type { Topic } from '../topic.js';

/**
 * What the owner of approvals answers to one held call. `redeemed`: the call goes on, for its approval was good and is
 * used up now; `limit`: there are too many open questions to add one.
 */
export const ApprovalAnswered = z.object({
  node: z.string().max(200),
  requestId: z.uuid(),
  status: z.enum(['redeemed', 'pending', 'denied', 'limit']),
  /** null where no question was added. */
  approvalId: ApprovalId.nullable(),
  /** Until then somebody may decide, or the denial stands; wall milliseconds. */
  expiresAtMs: z.number().nullable(),
  /** What whoever denied it gave as the reason. */
  reason: z.string().max(500).nullable(),
});
export type ApprovalAnswered = z.infer<typeof ApprovalAnswered>;

export const approvalAnsweredTopic: Topic<ApprovalAnswered> = {
  name: 'warder.approval.answered.v1',
  key: 'node',
  schema: ApprovalAnswered,
  cleanup: 'delete',
  isSigned: true,
  partitions: 1,
  retentionMs: 600_000,
  messageBytesMax: 65_536,
  writers: ['guardrails'],
  readers: ['ingress'],
  example: {
    node: 'ingress-1',
    requestId: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
    status: 'pending',
    approvalId: 'apr_8sVq2m1nX8cFhJ7w',
    expiresAtMs: 1_790_003_600_000,
    reason: null,
  },
};
