import { readFileSync } from 'node:fs';
import { createInProcessBus, createKafkaBus, type Bus } from '@warder/bus';
import type { Logger } from '@warder/telemetry';
import type { Clock } from './clock.js';
import type { HostSettings } from './host-settings.js';

/** Builds the bus that the configuration names. It connects in the background and never blocks the start. */
export function busOfSettings(
  settings: HostSettings['bus'],
  process: { node: string; service: string; log: Logger; clock: Clock },
): Bus {
  const { node, service, clock } = process;
  const log = process.log.child({ part: 'bus' });
  if (settings.kind === 'in-process') {
    return createInProcessBus({
      node,
      log,
      clock,
      ...(settings.dataDir === undefined ? {} : { dataDir: settings.dataDir }),
    });
  }
  return createKafkaBus({
    node,
    service,
    log,
    clock,
    brokers: settings.brokers,
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
    ...(settings.tls === undefined ? {} : { tls: tlsOf(settings.tls.caFile) }),
  });
}

function tlsOf(caFile: string | undefined): { ca?: Buffer } {
  return caFile === undefined ? {} : { ca: readFileSync(caFile) };
}
