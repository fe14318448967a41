import { z } from 'zod';
import type { Topic } from '../topic.js';

/**
 * A record that a receiver refused for good. It names the record and holds no byte of it: the store has it under its
 * id, and what is erased there must not live on here.
 */
export const AuditExportDeadLetter = z.object({
  exporter: z.string(),
  recordId: z.string(),
  topic: z.string(),
  partition: z.int(),
  offset: z.string(),
  /** The receiver's or the destination's reason, never a value. */
  reason: z.string(),
  atMs: z.number(),
});
export type AuditExportDeadLetter = z.infer<typeof AuditExportDeadLetter>;

/** Apart from the store's dead letters: those are records that the store lacks, these are in it and missing elsewhere. */
export const auditExportDeadLetterTopic: Topic<AuditExportDeadLetter> = {
  name: 'warder.audit.export.v1.dead-letter',
  key: 'record id',
  schema: AuditExportDeadLetter,
  cleanup: 'delete',
  partitions: 1,
  retentionMs: 7_776_000_000,
  messageBytesMax: 65_536,
  writers: ['audit'],
  readers: ['audit'],
  example: {
    exporter: 'siem',
    recordId: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
    topic: 'warder.audit.recorded.v1',
    partition: 2,
    offset: '1234',
    reason: 'the receiver refused it 3 times',
    atMs: 1_790_000_000_000,
  },
};
