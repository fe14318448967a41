import type { Destination, DestinationContext } from './destination.js';
import { createElasticBulk } from './elastic-bulk.js';
import type { ExporterSettings } from './exporters-settings.js';
import { createFiles } from './files.js';
import { createOtlpLogs } from './otlp-logs.js';
import { RelpDestination } from './relp-destination.js';
import { createSplunkHec } from './splunk-hec.js';
import { SyslogDestination } from './syslog-destination.js';
import { createWebhook } from './webhook.js';

/**
 * The destination of one exporter; it connects when it is first given something.
 * @throws Error that names the exporter, for a mounted secret or authority that cannot be read
 */
export function makeDestination(settings: ExporterSettings, context: DestinationContext): Destination {
  try {
    return make(settings, context);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`exporters.${context.name}: ${reason}`, { cause: error });
  }
}

function make(settings: ExporterSettings, context: DestinationContext): Destination {
  switch (settings.kind) {
    case 'splunk-hec':
      return createSplunkHec(settings, context);
    case 'elastic-bulk':
      return createElasticBulk(settings, context);
    case 'otlp-logs':
      return createOtlpLogs(settings, context);
    case 'webhook':
      return createWebhook(settings, context);
    case 'files':
      return createFiles(settings, context);
    case 'syslog':
      return new SyslogDestination(settings);
    case 'relp':
      return new RelpDestination(settings);
  }
}
