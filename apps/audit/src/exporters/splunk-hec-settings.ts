import { isSafeUrl } from '@warder/egress';
import { z } from 'zod';
import { exporterSettings } from './exporter-settings.js';
import { httpSettings, UNSAFE_URL } from './http-settings.js';

/** Splunk's HTTP Event Collector. */
export const SplunkHecSettings = z
  .strictObject({
    kind: z.literal('splunk-hec'),
    ...exporterSettings,
    ...httpSettings,
    /** Milliseconds in which a batch must be indexed and acknowledged; Splunk advises to send again after five minutes. */
    sendTimeoutMs: z.int().min(100).max(3_600_000).default(300_000),
    /** The token, in a mounted file. */
    tokenFile: z.string().min(1),
    /** A batch counts once it is indexed, not once it looked valid. The token must have it enabled; Splunk Cloud has it not. */
    acknowledgement: z.boolean().default(true),
    /** Milliseconds between two questions for acknowledgements. */
    ackPollMs: z.int().min(1).max(60_000).default(2_000),
    index: z.string().min(1).optional(),
    source: z.string().min(1).default('warder'),
    sourcetype: z.string().min(1).default('warder:audit'),
  })
  .refine(isSafeUrl, UNSAFE_URL);
export type SplunkHecSettings = z.infer<typeof SplunkHecSettings>;
