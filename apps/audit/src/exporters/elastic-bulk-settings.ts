import { isSafeUrl } from '@warder/egress';
import { z } from 'zod';
import { exporterSettings } from './exporter-settings.js';
import { httpSettings, JsonFormat, UNSAFE_URL } from './http-settings.js';

/** The names that both products accept: lower case, none of `\ / * ? " < > | , # :` or space, no leading `- _ +`. */
const IndexName = z.string().regex(/^(?!\.{1,2}$)[^-_+\\/*?"<>|,#:\sA-Z][^\\/*?"<>|,#:\sA-Z]{0,199}$/);

/** Elasticsearch or OpenSearch, by `_bulk`. */
export const ElasticBulkSettings = z
  .strictObject({
    kind: z.literal('elastic-bulk'),
    ...exporterSettings,
    ...httpSettings,
    format: JsonFormat.default('ecs'),
    /** A data stream, or an index or alias. */
    target: z.strictObject({ kind: z.enum(['data-stream', 'index']), name: IndexName }),
    /** One of the two, each in a mounted file: the encoded key, or `user:password`. */
    apiKeyFile: z.string().min(1).optional(),
    basicFile: z.string().min(1).optional(),
  })
  .refine(isSafeUrl, UNSAFE_URL)
  .refine(({ apiKeyFile, basicFile }) => apiKeyFile === undefined || basicFile === undefined, {
    message: 'only one of apiKeyFile and basicFile',
    path: ['basicFile'],
  });
export type ElasticBulkSettings = z.infer<typeof ElasticBulkSettings>;
