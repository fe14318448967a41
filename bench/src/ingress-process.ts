import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, MEASURED_CPU, type Started, startNode } from './processes.js';
import type { BenchPepper } from './state-feeder.js';

/** One ingress node of the cluster shape. */
export interface IngressOptions {
  readonly node: string;
  readonly brokers: readonly string[];
  readonly pepper: BenchPepper;
  /** Folder that takes configuration and journal. */
  readonly dir: string;
  readonly isDrainPaused: boolean;
  /** Options of Node itself, for a profile. */
  readonly nodeArgs: readonly string[];
}

/** A node that was started, and what starts it again. */
export interface StartedIngress extends Started {
  readonly port: number;
  /** Its configuration, which names all that it keeps. */
  readonly file: string;
}

/** Starts the ingress process as the cluster does, by its own main file, and waits until `/readyz` says so. */
export async function startIngress(options: IngressOptions): Promise<StartedIngress> {
  const dir = await mkdtemp(join(options.dir, `${options.node}-`));
  const port = await freePort();
  const file = join(dir, 'ingress.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(configOf(options, dir, port)), { mode: 0o600 });
  return launchIngress(file, port, options.nodeArgs);
}

/** Starts the process of a configuration that there is, and waits until `/readyz` says so. */
export async function launchIngress(file: string, port: number, nodeArgs: readonly string[]): Promise<StartedIngress> {
  const main = fileURLToPath(new URL('../../apps/ingress/dist/main.js', import.meta.url));
  const started = await startNode(
    { args: [...NODE_ARGS, ...nodeArgs, main, '--config', file], cpu: MEASURED_CPU },
    async () => await isReady(port),
  );
  return { ...started, port, file };
}

/** As docker-compose.yml starts the nodes. */
const NODE_ARGS = ['--max-semi-space-size=64', '--single-threaded-gc'];
/** Bytes that a paused drain may leave on disk: half a minute of full load. */
const JOURNAL_BYTES_MAX = 8_589_934_592;

function configOf(options: IngressOptions, dir: string, port: number): object {
  const { pepper, brokers } = options;
  return {
    node: options.node,
    listen: { host: '127.0.0.1', port },
    bus: { kind: 'kafka', brokers },
    log: { level: 'warn' },
    peppers: { [pepper.keyId]: pepper.secret },
    sessionKey: randomBytes(32).toString('hex'),
    replicaFile: join(dir, 'replica'),
    leases: { identityFile: join(dir, 'identity.key') },
    journal: {
      dir: join(dir, 'journal'),
      sizeMaxBytes: JOURNAL_BYTES_MAX,
      isDrainPaused: options.isDrainPaused,
    },
    // A row waits while the others warm up.
    bounds: { keepAliveTimeoutMs: 600_000 },
    // All load comes from one address.
    limits: { addressRequestsPerMinute: 1_000_000_000, addressBurst: 1_000_000_000 },
  };
}

async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(1_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}
