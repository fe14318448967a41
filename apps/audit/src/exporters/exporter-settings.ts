import { z } from 'zod';

/** The text that a receiver gets of a record; `record` is the record itself, to the byte. */
export const ExportFormat = z.enum(['ocsf', 'ecs', 'cef', 'leef', 'record']);
export type ExportFormat = z.infer<typeof ExportFormat>;

/**
 * The keys that every kind of exporter has; a kind spreads them into its own object. Secrets are keys that end in
 * `File` and name a mounted file, for `npm start` takes no variables.
 */
export const exporterSettings = {
  format: ExportFormat.default('ocsf'),
  /** Records that are sent as one, at most: the bus hands out no more than 500 at a time. */
  batchRecordsMax: z.int().min(1).max(500).default(200),
  /** Bytes of the records of a batch, as the topic holds them; a longer record is a batch of its own. */
  batchBytesMax: z.int().min(1_024).max(67_108_864).default(1_048_576),
  /** Milliseconds in which a receiver must have taken a batch. */
  sendTimeoutMs: z.int().min(100).max(3_600_000).default(30_000),
};
