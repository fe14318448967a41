import { z } from 'zod';
import type { Topic } from '../topic.js';

/** A legacy client's `notifications/cancelled` that landed on a node which does not run the call. */
export const CallCancelled = z.object({
  /** Session id and JSON-RPC id, hashed: what names a running call on whichever node runs it. */
  callKey: z.string(),
  principalId: z.string(),
  node: z.string(),
  atMs: z.number(),
});
export type CallCancelled = z.infer<typeof CallCancelled>;

export const callCancelledTopic: Topic<CallCancelled> = {
  name: 'warder.call.cancelled.v1',
  key: 'call key',
  schema: CallCancelled,
  cleanup: 'delete',
  partitions: 1,
  retentionMs: 600_000,
  messageBytesMax: 65_536,
  writers: ['ingress'],
  readers: ['ingress'],
  example: { callKey: 'q1w2e3', principalId: 'usr_01jd3x7k', node: 'ingress-1', atMs: 1_790_000_000_000 },
};
