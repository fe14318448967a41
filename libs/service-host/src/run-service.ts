import { parseArgs } from 'node:util';
import type { Logger } from '@warder/telemetry';
import { ConfigError } from './config-error.js';
import { loadConfig } from './load-config.js';
import { startHost } from './start-host.js';
import type { Service } from './service.js';

/**
 * The whole of an app's `main.ts`: reads the configuration, starts the service, drains on SIGTERM or SIGINT.
 * Exits 1 with one line when it cannot start, 1 after an error that nobody caught, 0 after a drain.
 */
export async function runService<Config>(service: Service<Config>): Promise<void> {
  await orExit(service.name, async () => {
    const { settings, config } = loadConfig(service, { file: configFile(), environment: process.env });
    const running = await startHost({
      service: service.name,
      settings,
      module: (hostFor) => service.module(config, hostFor(service.name)),
    });
    exitOnFatal(running.log);
    drainOnSignal(() => running.stop(), running.log);
    running.log.info({ url: running.url }, 'started');
  });
}

/** Runs the start of a process; what cannot start says why in one line and exits 1. */
export async function orExit(name: string, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`warder ${name}: ${lineOf(error)}\n`);
    process.exit(1);
  }
}

/** First signal: `stop`, then exit 0. Second: exit at once. */
export function drainOnSignal(stop: () => Promise<void>, log: Logger): void {
  let isDraining = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (isDraining) process.exit(1);
    isDraining = true;
    log.info({ signal }, 'draining');
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'the drain failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** An error that nobody caught leaves a state that nobody knows: the process ends and is started anew. */
export function exitOnFatal(log: Logger): void {
  const fatal = (error: unknown) => {
    log.fatal({ err: error }, 'uncaught');
    process.exit(1);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
}

function configFile(): string | undefined {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' } }, strict: true });
    return values.config ?? process.env['WARDER_CONFIG'];
  } catch (error) {
    throw new ConfigError(`command line: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function lineOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${error instanceof ConfigError ? 'config: ' : ''}${message.replace(/\s*\n\s*/g, ' ')}`;
}
