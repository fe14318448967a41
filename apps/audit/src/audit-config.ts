import { Pepper } from '@warder/contracts';
import { z } from 'zod';
import { ExportersSettings } from './exporters/exporters-settings.js';
import { ArchiveConfig } from './archive/archive-config.js';

export const AuditConfig = z.strictObject({
  database: z.strictObject({ url: z.string().min(1) }),
  /** The peppers with which the bearers of the admin door are looked up. */
  pepper: Pepper,
  /** Days that Postgres keeps records; then they are in the archive, or deleted where there is none. */
  retentionDays: z.int().min(1).max(3_650).default(90),
  /** Receivers of the records, each with a place of its own in the topic. */
  exporters: ExportersSettings,
  archive: ArchiveConfig.optional(),
  /** Whether each record is also published as an OCSF event, for a SIEM that reads Kafka. */
  publishOcsf: z.boolean().default(true),
  /** Shared with the ingress nodes: with it they ask, for an auditor, through the virtual server `audit`. */
  mcpKey: z.string().min(32).max(1_024).optional(),
  /** Records at most that one page looks through for a part of their arguments where no index helps. */
  scanRowsMax: z.int().min(1_000).max(10_000_000).default(200_000),
});
export type AuditConfig = z.infer<typeof AuditConfig>;
