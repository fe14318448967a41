import { z } from 'zod';
import { EVERY_SERVICE, ServiceName, type Topic } from '../topic.js';
import { KeyText, NameText, SignatureText } from './key-text.js';

/**
 * A node that presents its identity: with the proof that it holds a join token, at first, or vouched for by the identity
 * that it follows, when it changes its key. A join token itself never travels.
 */
export const NodeAnnounced = z.object({
  node: NameText,
  service: ServiceName.default('ingress'),
  /** Ed25519, public: what `signature` is verified with. */
  identity: KeyText,
  atMs: z.number(),
  join: z.object({ tokenId: NameText, proof: KeyText }).nullable(),
  predecessor: z.object({ identity: KeyText, signature: SignatureText }).nullable(),
  signature: SignatureText,
});
export type NodeAnnounced = z.infer<typeof NodeAnnounced>;

export const nodeAnnouncedTopic: Topic<NodeAnnounced> = {
  name: 'warder.node.announced.v1',
  key: 'node',
  schema: NodeAnnounced,
  cleanup: 'delete',
  partitions: 1,
  retentionMs: 600_000,
  messageBytesMax: 65_536,
  writers: EVERY_SERVICE,
  readers: ['credentials'],
  example: {
    node: 'ingress-1',
    service: 'ingress',
    identity: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    atMs: 1_790_000_000_000,
    join: { tokenId: '8f2c1d7a90b34e55', proof: 'kX2bQy0m4mT1s3bq0Yw8nJd5Vf6Zr7Hc9Lp1Ga2Ue0M' },
    predecessor: null,
    signature: '5ZLKlaTqVYbVIvJdMtHfR9YqZ5p9mWq0o5bXoT3P0mUQ5sPzq2m1nX8cFhJ7w4Bv6yKdLeRg0tAuSiNxCzEDBQ',
  },
};
