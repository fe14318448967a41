import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunningService } from './compose-process.js';
import { ComposeRunner, removeComposeData } from './compose-runner.js';

/** A started Warder, of either shape. */
export interface StartedWarder {
  /** The whole URL of the first virtual server. */
  readonly endpoint: string;
  readonly adminUrl: string;
  readonly adminToken: string;
  /** Of the local developer. */
  readonly token: string;
  /** Volumes, logs and, in standalone, the data directory. */
  readonly dataDir: string;
  /** A process by its name in `docker-compose.yml`; in standalone the one process is `standalone`. */
  service(name: string): RunningService;
  /** Stops every process; a data directory that was made for it goes too. */
  stop(): Promise<void>;
}

export interface StartedCluster extends StartedWarder {
  volume(name: string): string;
  address(service: string, port: number): string;
}

export interface ClusterOptions {
  /** Kept at `stop`; a temporary one that goes, where not given. */
  readonly dataDir?: string;
  /** Of the door; a free one where not given. */
  readonly port?: number;
  /** Variables beside those of the file, by service: bounds and intervals of a test. */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

interface Ready {
  endpoint: string;
  adminUrl: string;
  adminToken: string;
  token: string;
}

const DOOR_PORT = 8080;

/** The root of the checkout, from the sources and from what is built of them. */
export function checkoutRoot(): string {
  return fileURLToPath(new URL('../../..', import.meta.url));
}

/**
 * Builds what is stale of the projects named.
 * @throws Error when that fails; its output is on standard error
 */
export function ensureBuilt(...projects: readonly string[]): void {
  const root = checkoutRoot();
  const { status } = spawnSync(process.execPath, [join(root, 'tools/prepare.mjs'), ...projects], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`the build of ${projects.join(', ')} failed`);
}

/** Starts what `docker-compose.yml` says as plain processes on this machine, and waits until all of it is healthy. */
export async function startCluster(options: ClusterOptions = {}): Promise<StartedCluster> {
  ensureBuilt('apps/standalone', 'apps/balancer');
  const isOurs = options.dataDir === undefined;
  const dataDir = options.dataDir ?? realpathSync(mkdtempSync(join(tmpdir(), 'warder-cluster-')));
  const runner = await ComposeRunner.start({
    root: checkoutRoot(),
    dataDir,
    ports: { [`balancer:${DOOR_PORT}`]: options.port ?? 0 },
    ...(options.environment === undefined ? {} : { environment: options.environment }),
  });
  const ready = JSON.parse(readFileSync(join(runner.volume('welcome'), 'ready.json'), 'utf8')) as Ready;
  const { endpoint, adminUrl, adminToken, token } = ready;
  return {
    endpoint,
    adminUrl,
    adminToken,
    token,
    dataDir,
    service: (name) => runner.service(name),
    volume: (name) => runner.volume(name),
    address: (service, port) => runner.address(service, port),
    stop: async () => {
      await runner.stop();
      if (isOurs) removeComposeData(dataDir);
    },
  };
}
