import type { Destination, DestinationContext } from './destination.js';
import type { ExporterSettings } from './exporters-settings.js';
import { RelpDestination } from './relp-destination.js';
import { SyslogDestination } from './syslog-destination.js';

/** The destination of one exporter; it connects when it is first given something. */
export function makeDestination(settings: ExporterSettings, _context: DestinationContext): Destination {
  switch (settings.kind) {
    case 'syslog':
      return new SyslogDestination(settings);
    case 'relp':
      return new RelpDestination(settings);
  }
}
