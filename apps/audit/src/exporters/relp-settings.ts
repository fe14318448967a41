import { z } from 'zod';
import { ClientTlsSettings } from './client-tls-settings.js';
import { exporterSettings } from './exporter-settings.js';
import { syslogMessageSettings } from './syslog-message-settings.js';

/** RELP over mutual TLS: syslog messages of which each is acknowledged. */
export const RelpSettings = z.strictObject({
  kind: z.literal('relp'),
  ...exporterSettings,
  ...syslogMessageSettings,
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(2_514),
  tls: ClientTlsSettings,
  connectTimeoutMs: z.int().min(100).max(600_000).default(10_000),
  /** Messages that wait for their acknowledgement at a time. */
  windowMax: z.int().min(1).max(10_000).default(128),
});
export type RelpSettings = z.infer<typeof RelpSettings>;
