import { Pepper } from '@warder/contracts';
import { z } from 'zod';
import { ExportersSettings } from './exporters/exporters-settings.js';

export const AuditConfig = z.strictObject({
  database: z.strictObject({ url: z.string().min(1) }),
  /** The peppers with which the bearers of the admin door are looked up. */
  pepper: Pepper,
  /** Days that records are kept; the partitions of older days are dropped. */
  retentionDays: z.int().min(1).max(3_650).default(90),
  /** Receivers of the records, each with a place of its own in the topic. */
  exporters: ExportersSettings,
});
export type AuditConfig = z.infer<typeof AuditConfig>;
