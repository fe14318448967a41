import { z } from 'zod';
import { StateVersion } from '../state.js';
import { EVERY_SERVICE, ServiceName, type Topic } from '../topic.js';
import { KeyText, NameText } from './key-text.js';

/** By which key a process is known, and as a node of which service. What a `revoked` one says is heard no more. */
export const NodeEnrolled = z.object({
  version: StateVersion,
  status: z.enum(['active', 'revoked']),
  node: NameText,
  service: ServiceName.default('ingress'),
  /** Ed25519, public. */
  identity: KeyText,
  /** Wall milliseconds. Before its end the node changes its key; after it, it needs a join token again. */
  expiresAtMs: z.number(),
  enrolledAtMs: z.number(),
  /** The key before this one, for what the node signed with it just before it changed. */
  previous: z.object({ identity: KeyText, untilMs: z.number() }).nullable(),
  /** By which every reader knows what the node signs; null of one that is revoked, or where the registrar has no key. */
  certificate: z.string().max(2_048).nullable().default(null),
  /** Wall milliseconds. Certificates that were issued to the node before are worth nothing. */
  validFromMs: z.number().default(0),
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
  readers: EVERY_SERVICE,
  example: {
    version: 1,
    status: 'active',
    node: 'ingress-1',
    service: 'ingress',
    identity: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    expiresAtMs: 1_797_776_000_000,
    enrolledAtMs: 1_790_000_000_000,
    previous: null,
    certificate: null,
    validFromMs: 1_790_000_000_000,
  },
};
