import { z } from 'zod';
import { EVERY_SERVICE, type Topic } from '../topic.js';

/**
 * What a node runs on, published at start, at every change and every few seconds; a node silent for longer than
 * `NODE_GONE_AFTER_MS` is not waited for. `asks` are the markers that the node waits for, by topic.
 */
export const NodeApplied = z.object({
  node: z.string(),
  service: z.string(),
  atMs: z.number(),
  /** By topic name: the version of a topic that holds one thing, the owner's last mark of one that holds many. */
  applied: z.record(z.string(), z.number()),
  /** Nonce by topic name. */
  asks: z.record(z.string(), z.string()),
  stopping: z.boolean(),
});
export type NodeApplied = z.infer<typeof NodeApplied>;

export const NODE_GONE_AFTER_MS = 15_000;

export const nodeAppliedTopic: Topic<NodeApplied> = {
  name: 'warder.node.applied.v1',
  key: 'node',
  schema: NodeApplied,
  cleanup: 'compact',
  isKeyedByWriter: true,
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 1_048_576,
  writers: EVERY_SERVICE,
  readers: EVERY_SERVICE,
  example: {
    node: 'ingress-1',
    service: 'ingress',
    atMs: 1_790_000_000_000,
    applied: { 'warder.policy.snapshot.v1': 7 },
    asks: {},
    stopping: false,
  },
};
