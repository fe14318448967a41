import { isSafeUrl } from '@warder/egress';
import { z } from 'zod';
import { exporterSettings } from './exporter-settings.js';
import { httpSettings, UNSAFE_URL } from './http-settings.js';

/** OTLP logs over HTTP, in JSON. */
export const OtlpLogsSettings = z
  .strictObject({
    kind: z.literal('otlp-logs'),
    ...exporterSettings,
    ...httpSettings,
    serviceName: z.string().min(1).default('warder'),
    /** One header that the receiver asks for, its value in a mounted file. */
    header: z.strictObject({ name: z.string().regex(/^[A-Za-z0-9-]{1,64}$/), valueFile: z.string().min(1) }).optional(),
  })
  .refine(isSafeUrl, UNSAFE_URL);
export type OtlpLogsSettings = z.infer<typeof OtlpLogsSettings>;
