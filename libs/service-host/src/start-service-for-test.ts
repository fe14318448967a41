import type { KeyObject } from 'node:crypto';
import type { Bus } from '@warder/bus';
import { createLogger, type Logger } from '@warder/telemetry';
import type { z } from 'zod';
import type { Clock } from './clock.js';
import { HostSettings } from './host-settings.js';
import { startHost, type RunningHost } from './start-host.js';
import type { Service } from './service.js';

export interface TestServiceOptions {
  bus?: Bus;
  log?: Logger;
  clock?: Clock;
  signingKey?: KeyObject;
  /** Host keys beside a free loopback port. */
  settings?: Partial<z.input<typeof HostSettings>>;
}

/**
 * Starts one service as its process would, on a free loopback port, silent, with an in-process bus unless given one.
 * @throws ZodError when `config` does not fit the service's schema
 */
export async function startServiceForTest<Config>(
  service: Service<Config>,
  config: unknown,
  options: TestServiceOptions = {},
): Promise<RunningHost> {
  const settings = HostSettings.parse({
    listen: { host: '127.0.0.1', port: 0 },
    bus: { kind: 'in-process' },
    ...options.settings,
  });
  const own = service.config.parse(config);
  return startHost({
    service: service.name,
    settings,
    log: options.log ?? createLogger(service.name, { level: 'silent' }),
    module: (hostFor) => service.module(own, hostFor(service.name)),
    ...(options.bus === undefined ? {} : { bus: options.bus }),
    ...(options.signingKey === undefined ? {} : { signingKey: options.signingKey }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
}
