import { z } from 'zod';
import { ApprovalTerms } from '../approval-settings.js';
import { Capture } from '../audit-record.js';
import { Hold } from '../hold.js';
import type { Topic } from '../topic.js';

/** SHA-256, hex. */
const Digest = z.string().regex(/^[0-9a-f]{64}$/);
const Id = z.string().min(1).max(200);

/**
 * A node has a call that something holds. Its owner either finds an approval of exactly this call, which is used up
 * with that, or has people asked. What people are shown has no secret in it.
 */
export const ApprovalRequested = z.object({
  /** Of the call; an answer is for it alone. */
  requestId: z.uuid(),
  node: Id,
  atMs: z.number(),
  /** Wall time after which an answer finds nobody any more, so that nothing is used up for this call. */
  answerByMs: z.number(),
  /** Of all that an approval is bound to: the same call again has the same. */
  binding: Digest,
  principalId: Id,
  agent: z.object({ id: Id, kind: z.string().max(40), name: z.string().max(300) }),
  /** Who acts for the principal, the nearest first. */
  actors: z.array(z.object({ id: Id, kind: z.string().max(40) })).max(20),
  /** Of the agent's run; empty where nothing tells it. */
  run: z.string().max(200),
  virtualServer: z.string().max(200),
  upstream: z.string().max(200),
  tool: z.string().max(300),
  definitionHash: z.string().max(200),
  policyVersion: z.int(),
  guardrailsVersion: z.int(),
  argumentsDigest: Digest,
  arguments: Capture,
  holds: z.array(Hold).min(1).max(20),
  terms: ApprovalTerms,
});
export type ApprovalRequested = z.infer<typeof ApprovalRequested>;

export const approvalRequestedTopic: Topic<ApprovalRequested> = {
  name: 'warder.approval.requested.v1',
  key: 'binding of the call',
  schema: ApprovalRequested,
  cleanup: 'delete',
  isSigned: true,
  partitions: 1,
  retentionMs: 86_400_000,
  messageBytesMax: 262_144,
  writers: ['ingress'],
  readers: ['guardrails', 'siem'],
  example: {
    requestId: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
    node: 'ingress-1',
    atMs: 1_790_000_000_000,
    answerByMs: 1_790_000_001_500,
    binding: '3b1f0c6d8a4e2975b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d',
    principalId: 'usr_01jd3x7k',
    agent: { id: 'pat_01jd3x9q', kind: 'pat', name: 'laptop' },
    actors: [],
    run: '',
    virtualServer: 'dev',
    upstream: 'github',
    tool: 'delete_repository',
    definitionHash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    policyVersion: 7,
    guardrailsVersion: 4,
    argumentsDigest: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
    arguments: { bytes: 28, value: { repository: 'acme/old-site' } },
    holds: [{ by: 'policy', rule: 'policy.approval', reason: 'every call of this tool waits for a human' }],
    terms: { by: ['release-managers'], fourEyes: true, minutes: 60 },
  },
};
