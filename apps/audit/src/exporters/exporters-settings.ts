import { Name } from '@warder/contracts';
import { z } from 'zod';
import { ElasticBulkSettings } from './elastic-bulk-settings.js';
import { FilesSettings } from './files-settings.js';
import { OtlpLogsSettings } from './otlp-logs-settings.js';
import { RelpSettings } from './relp-settings.js';
import { SplunkHecSettings } from './splunk-hec-settings.js';
import { SyslogSettings } from './syslog-settings.js';
import { WebhookSettings } from './webhook-settings.js';

/** One exporter; `kind` says which receiver it speaks to. */
export const ExporterSettings = z.discriminatedUnion('kind', [
  SplunkHecSettings,
  ElasticBulkSettings,
  OtlpLogsSettings,
  WebhookSettings,
  FilesSettings,
  SyslogSettings,
  RelpSettings,
]);
export type ExporterSettings = z.infer<typeof ExporterSettings>;

/** Exporters by name. Each has a consumer group of that name: a renamed one begins again at the oldest record. */
export const ExportersSettings = z.record(Name, ExporterSettings).default({});
export type ExportersSettings = z.infer<typeof ExportersSettings>;
