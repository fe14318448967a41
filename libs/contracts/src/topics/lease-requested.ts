import { z } from 'zod';
import type { Topic } from '../topic.js';
import { KeyText, NameText, SignatureText } from './key-text.js';

/** A key of one process of a node, made for leases and thrown away: what is sealed to it nobody else opens. */
export const SealingKey = z.object({ id: NameText, key: KeyText });
export type SealingKey = z.infer<typeof SealingKey>;

/** A node asks for what a connection's calls need; signed with the node's identity, the sealing key included. */
export const LeaseRequested = z.object({
  node: NameText,
  identity: KeyText,
  requestId: NameText,
  connectionId: NameText,
  /** Of the upstreams that the connection serves, the one that is called. */
  upstream: NameText,
  /** Whose connection it is; empty of one that is shared. */
  principalId: z.string().max(200),
  sealing: SealingKey,
  /** Generation of the lease with which the upstream refused a call (401); null where none was refused. */
  refusedGeneration: z.int().min(0).nullable(),
  atMs: z.number(),
  signature: SignatureText,
});
export type LeaseRequested = z.infer<typeof LeaseRequested>;

export const leaseRequestedTopic: Topic<LeaseRequested> = {
  name: 'warder.lease.requested.v1',
  key: 'connection id',
  schema: LeaseRequested,
  cleanup: 'delete',
  partitions: 1,
  retentionMs: 600_000,
  messageBytesMax: 65_536,
  writers: ['ingress'],
  readers: ['credentials'],
  example: {
    node: 'ingress-1',
    identity: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    requestId: 'b0f1e6a2-3c4d-4e5f-8a9b-0c1d2e3f4a5b',
    connectionId: 'static/everything',
    upstream: 'everything',
    principalId: '',
    sealing: { id: 'k3f9a1c2', key: 'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo' },
    refusedGeneration: null,
    atMs: 1_790_000_000_000,
    signature: '5ZLKlaTqVYbVIvJdMtHfR9YqZ5p9mWq0o5bXoT3P0mUQ5sPzq2m1nX8cFhJ7w4Bv6yKdLeRg0tAuSiNxCzEDBQ',
  },
};
