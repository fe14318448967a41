import { z } from 'zod';
import { ClientTlsSettings } from './client-tls-settings.js';
import { exporterSettings } from './exporter-settings.js';
import { syslogMessageSettings } from './syslog-message-settings.js';

/** RFC 5424 messages over mutual TLS (RFC 5425). */
export const SyslogSettings = z.strictObject({
  kind: z.literal('syslog'),
  ...exporterSettings,
  ...syslogMessageSettings,
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(6_514),
  tls: ClientTlsSettings,
  connectTimeoutMs: z.int().min(100).max(600_000).default(10_000),
  /** Milliseconds that a new connection must stand after its first bytes, before what was written on it counts. */
  settleMs: z.int().min(0).max(60_000).default(1_000),
  /**
   * Bytes of the last messages that are kept and sent again after a reconnect, for syslog knows no acknowledgement:
   * more than what two sockets' buffers hold on Linux as it comes (4 MiB to send, 6 MiB to receive).
   */
  rewindBytesMax: z.int().min(0).max(1_073_741_824).default(16_777_216),
});
export type SyslogSettings = z.infer<typeof SyslogSettings>;
