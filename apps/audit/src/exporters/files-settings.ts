import { z } from 'zod';
import { exporterSettings } from './exporter-settings.js';
import { JsonFormat } from './http-settings.js';

/** NDJSON files for somebody to collect. */
export const FilesSettings = z
  .strictObject({
    kind: z.literal('files'),
    ...exporterSettings,
    format: JsonFormat.default('ocsf'),
    /** The files stand in a directory below it that is named after the node, so that no two processes share one. */
    dir: z.string().min(1),
    /** Bytes of a file before compression after which it is closed; one batch may exceed them. */
    segmentBytesMax: z.int().min(1_024).max(1_099_511_627_776).default(67_108_864),
    /** Milliseconds after which a file is closed. */
    segmentAgeMaxMs: z.int().min(1_000).max(604_800_000).default(3_600_000),
    /** Bytes of all files, the manifest included. Past them nothing is written, so nothing is acknowledged. */
    totalBytesMax: z.int().min(4_096).max(1_099_511_627_776).default(10_737_418_240),
    /** Past `totalBytesMax` the oldest closed files go, collected or not, and the manifest says so. */
    deletesOldest: z.boolean().default(false),
  })
  .refine(({ segmentBytesMax, totalBytesMax }) => totalBytesMax >= 2 * segmentBytesMax, {
    message: 'is twice segmentBytesMax or more, for a file is compressed beside itself',
    path: ['totalBytesMax'],
  });
export type FilesSettings = z.infer<typeof FilesSettings>;
