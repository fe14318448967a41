import { z } from 'zod';
import { EVERY_SERVICE, FOR_EVER, type Topic } from '../topic.js';

/** Leaves that one checkpoint names at most: their prefixes stay far below the topic's message. */
export const CHECKPOINT_LEAVES_MAX = 32_768;

const Hash = z.base64().length(44);

/**
 * The signed head of one log of records. `note` is a C2SP signed note over everything beside it: an Ed25519 signature
 * under the log's name.
 */
export const AuditCheckpoint = z.object({
  /** The log, as its records name it. */
  origin: z.string().min(1).max(256),
  /** Records in the log. */
  size: z.int().min(1),
  /** Root of the Merkle tree over their leaves (RFC 6962). */
  root: Hash,
  /** Hashes of the tree's whole subtrees, the largest first: what is needed to go on from here without the beginning. */
  frontier: z.array(Hash).min(1).max(53),
  /** Index of the first record that `leaves` names: the size of the checkpoint before. */
  leavesFrom: z.int().min(0),
  /** The first 8 bytes of the leaf hash of each record from there on. */
  leaves: z.base64().max(Math.ceil((CHECKPOINT_LEAVES_MAX * 8) / 3) * 4),
  atMs: z.number(),
  note: z.string().max(2_048),
});
export type AuditCheckpoint = z.infer<typeof AuditCheckpoint>;

/** Kept for ever: a record can be proved for as long as somebody has it, however long that is. */
export const auditCheckpointTopic: Topic<AuditCheckpoint> = {
  name: 'warder.audit.checkpoint.v1',
  key: 'log and size, `<log>/<size>`',
  schema: AuditCheckpoint,
  cleanup: 'delete',
  partitions: 1,
  retentionMs: FOR_EVER,
  messageBytesMax: 1_048_576,
  writers: EVERY_SERVICE,
  readers: ['audit'],
  example: {
    origin: 'ingress-1/0k3x9aq7t2f1c0d',
    size: 42,
    root: '84w1mDDvwVrpnkiAcEyfBPEc74kvs8Kqfset7gauYGY=',
    frontier: [
      'n3pekmIqDV7xIWN5i2RQv1GiqZ1JKaC/D6CIIvpfjt0=',
      'DvweRKnVAXdrunalhQkNkWld3jHffk8OPPdimm0rV/E=',
      'I3gKF+jveCbgvKkwGcjyFCR1sRvZ8QWaYs6llqVaxRw=',
    ],
    leavesFrom: 40,
    leaves: 'GKDljEImxk4NjDm+JwbIPg==',
    atMs: 1_790_000_000_000,
    note: [
      'ingress-1/0k3x9aq7t2f1c0d',
      '42',
      '84w1mDDvwVrpnkiAcEyfBPEc74kvs8Kqfset7gauYGY=',
      'leaves 40 gq5YF5Lra7nM5O8TpVESfcbHViiIH8RnzVzQfSm40Qs=',
      'frontier 2MFrs2MhUDZAziJMDHKrxe3xP9Blv3gptIoT2sfAW/0=',
      'at 1790000000000',
      '',
      '— ingress-1/0k3x9aq7t2f1c0d 0YSKD6IoWTPdLPwpz7LYc3OjPi6gvyulp6hbciAHmnTremafBPnO1Q7AD2qngAudLfXpZGKc0zp+9RmzbbQczFNiZwg=',
      '',
    ].join('\n'),
  },
};
