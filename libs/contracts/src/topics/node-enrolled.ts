import { z } from 'zod';
import { StateVersion } from '../state.js';
import type { Topic } from '../topic.js';
import { KeyText, NameText } from './key-text.js';

/** By which key a node is known. One that is `revoked` is answered nothing any more. */
export const NodeEnrolled = z.object({
  version: StateVersion,
  status: z.enum(['active', 'revoked']),
  node: NameText,
  /** Ed25519, public. */
  identity: KeyText,
  /** Wall milliseconds. Before its end the node changes its key; after it, it needs a join token again. */
  expiresAtMs: z.number(),
  enrolledAtMs: z.number(),
  /** The key before this one, for what the node signed with it just before it changed. */
  previous: z.object({ identity: KeyText, untilMs: z.number() }).nullable(),
});
export type NodeEnrolled = z.infer<typeof NodeEnrolled>;

export const nodeEnrolledTopic: Topic<NodeEnrolled> = {
  name: 'warder.node.enrolled.v1',
  key: 'node',
  schema: NodeEnrolled,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 65_536,
  writers: ['credentials'],
  readers: ['ingress', 'credentials'],
  example: {
    version: 1,
    status: 'active',
    node: 'ingress-1',
    identity: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    expiresAtMs: 1_797_776_000_000,
    enrolledAtMs: 1_790_000_000_000,
    previous: null,
  },
};
