import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@warder/telemetry';

/** Sends Nest's own lines to the process's logger; its banner of modules and routes at debug level only. */
export function nestLogger(log: Logger): LoggerService {
  return {
    log: (message: unknown) => log.debug({ part: 'nest' }, String(message)),
    debug: (message: unknown) => log.trace({ part: 'nest' }, String(message)),
    verbose: (message: unknown) => log.trace({ part: 'nest' }, String(message)),
    warn: (message: unknown) => log.warn({ part: 'nest' }, String(message)),
    error: (message: unknown, ...rest: unknown[]) =>
      log.error({ part: 'nest', detail: rest.map(String) }, String(message)),
    fatal: (message: unknown) => log.fatal({ part: 'nest' }, String(message)),
  };
}
