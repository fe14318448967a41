import { z } from 'zod';
import { ApprovalId } from '../approval-id.js';
import type { Topic } from '../topic.js';

/** What became of a question: a human decided, nobody did in time, the rules changed under it, or the call was made. */
export const ApprovalDecided = z.object({
  approvalId: ApprovalId,
  decision: z.enum(['approved', 'denied', 'expired', 'outdated', 'redeemed']),
  /** Who decided; null where nobody did. */
  deciderId: z.string().max(200).nullable(),
  reason: z.string().max(500).nullable(),
  principalId: z.string().max(200),
  virtualServer: z.string().max(200),
  upstream: z.string().max(200),
  tool: z.string().max(300),
  /** The call that used the approval up. */
  callId: z.string().max(100).nullable(),
  atMs: z.number(),
});
export type ApprovalDecided = z.infer<typeof ApprovalDecided>;

export const approvalDecidedTopic: Topic<ApprovalDecided> = {
  name: 'warder.approval.decided.v1',
  key: 'approval id',
  schema: ApprovalDecided,
  cleanup: 'delete',
  isSigned: true,
  partitions: 1,
  retentionMs: 604_800_000,
  messageBytesMax: 65_536,
  writers: ['guardrails'],
  readers: ['ingress', 'siem'],
  example: {
    approvalId: 'apr_8sVq2m1nX8cFhJ7w',
    decision: 'approved',
    deciderId: 'usr_01jd3xaa',
    reason: 'the migration of Tuesday',
    principalId: 'usr_01jd3x7k',
    virtualServer: 'dev',
    upstream: 'github',
    tool: 'delete_repository',
    callId: null,
    atMs: 1_790_000_060_000,
  },
};
