import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutRoot, ensureBuilt, type StartedWarder } from './compose-cluster.js';
import { ServiceProcess } from './compose-process.js';

export interface StandaloneOptions {
  /** Kept at `stop`; a temporary one that goes, where not given. */
  readonly dataDir?: string;
  readonly port?: number;
  /** File of `--config`. */
  readonly configFile?: string;
  readonly startTimeoutMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

interface Ready {
  endpoint: string;
  adminUrl: string;
  adminToken: string;
  token: string;
}

const START_MS = 90_000;

/** Starts standalone as `npm start` does, once built, and waits until it is ready. */
export async function startStandalone(options: StandaloneOptions = {}): Promise<StartedWarder> {
  ensureBuilt('apps/standalone');
  const isOurs = options.dataDir === undefined;
  const dataDir = options.dataDir ?? realpathSync(mkdtempSync(join(tmpdir(), 'warder-standalone-')));
  mkdirSync(dataDir, { recursive: true });
  const readyFile = join(dataDir, 'ready.json');
  const logFile = join(dataDir, 'output.log');
  writeFileSync(logFile, '', { flag: 'a', mode: 0o600 });
  const root = checkoutRoot();
  const flags = ['--port', String(options.port ?? 0), '--data-dir', join(dataDir, 'warder'), '--ready-file', readyFile];
  const config = options.configFile === undefined ? [] : ['--config', options.configFile];
  const process = new StandaloneProcess(
    {
      name: 'standalone',
      command: ['node', join(root, 'apps/standalone/dist/main.js'), ...flags, ...config],
      environment: { ...options.environment },
      workingDir: root,
      logFile,
      healthTest: [],
    },
    readyFile,
  );
  await process.start();
  await process.healthy(options.startTimeoutMs ?? START_MS);
  const ready = () => JSON.parse(readFileSync(readyFile, 'utf8')) as Ready;
  return {
    // Asked anew each time: after a restart with port 0 the door is elsewhere.
    get endpoint() {
      return ready().endpoint;
    },
    get adminUrl() {
      return ready().adminUrl;
    },
    get adminToken() {
      return ready().adminToken;
    },
    get token() {
      return ready().token;
    },
    dataDir,
    service: () => process,
    stop: async () => {
      await process.stop();
      if (isOurs) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Healthy is when the ready file has come. */
class StandaloneProcess extends ServiceProcess {
  constructor(
    settings: ConstructorParameters<typeof ServiceProcess>[0],
    private readonly readyFile: string,
  ) {
    super(settings);
  }

  override async start(): Promise<void> {
    if (this.pid === undefined) rmSync(this.readyFile, { force: true });
    await super.start();
  }

  override async healthy(timeoutMs: number): Promise<void> {
    const stopAtMs = performance.now() + timeoutMs;
    while (!existsSync(this.readyFile)) {
      if (this.pid === undefined) throw new Error(`standalone ended: ${this.logs().trim().slice(-1_500)}`);
      if (performance.now() > stopAtMs) throw new Error(`standalone is not ready: ${this.logs().trim().slice(-1_500)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
