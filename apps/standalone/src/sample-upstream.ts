import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@warder/telemetry';

export interface SampleUpstream {
  /** Its MCP endpoint. */
  readonly url: string;
  /**
   * Resolves when it takes connections.
   * @throws Error in one sentence when it does not within 20 s
   */
  answers(): Promise<void>;
  stop(): Promise<void>;
}

const START_MS = 20_000;
const PROBE_EVERY_MS = 50;
const RESTART_AFTER_MS = 1_000;
const STOP_MS = 3_000;

const require = createRequire(import.meta.url);

/** The program of a server from npm: what its package calls its command. */
export function programOf(packageName: string, command: string): string {
  const file = require.resolve(`${packageName}/package.json`);
  const { bin } = JSON.parse(readFileSync(file, 'utf8')) as { bin: Record<string, string> };
  return join(dirname(file), bin[command] ?? '');
}

/** The folder of our sample documents, in the source tree and in the built one alike. */
export function samplesDir(): string {
  return fileURLToPath(new URL('../samples', import.meta.url));
}

/**
 * Runs `mcp-server-everything streamableHttp` on loopback for as long as we run, started again when it ends.
 * @param earlierUrl - its port is taken again if it is free, for the policy knows it from the last start
 */
export async function startSampleUpstream(earlierUrl: string | undefined, log: Logger): Promise<SampleUpstream> {
  const port = await freePort(portOf(earlierUrl));
  const supervised = new Supervised(port, log);
  supervised.launch();
  return { url: `http://127.0.0.1:${port}/mcp`, answers: () => untilItAccepts(port), stop: () => supervised.stop() };
}

async function untilItAccepts(port: number): Promise<void> {
  const stopAtMs = performance.now() + START_MS;
  while (!(await accepts(port))) {
    if (performance.now() > stopAtMs) {
      throw new Error(`the sample upstream "everything" did not answer on port ${port} within ${START_MS / 1_000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
}

class Supervised {
  private child: ChildProcess | undefined;
  private isStopping = false;

  constructor(
    private readonly port: number,
    private readonly log: Logger,
  ) {}

  launch(): void {
    // Always the built one: the upstream runs in a process that knows no TypeScript.
    const preload = new URL('../dist/sample-upstream-preload.js', import.meta.url).href;
    const program = programOf('@modelcontextprotocol/server-everything', 'mcp-server-everything');
    const child = spawn(process.execPath, ['--import', preload, program, 'streamableHttp'], {
      // One of its tools shows its environment: it gets none of ours.
      env: { PORT: String(this.port), SAMPLE_UPSTREAM_FOLLOWS: 'stdin', PATH: process.env['PATH'] ?? '' },
      stdio: ['pipe', 'ignore', 'pipe'],
      // Ctrl-C reaches the whole foreground group; the upstream leaves when running calls have ended, not before.
      detached: true,
    });
    this.child = child;
    child.stdin?.on('error', () => undefined);
    child.stderr?.on('data', (chunk: Buffer) =>
      this.log.debug({ stderr: chunk.toString('utf8', 0, 2_000) }, 'everything'),
    );
    child.once('exit', (code, signal) => {
      if (this.isStopping) return;
      this.log.warn({ code, signal }, 'the sample upstream "everything" ended and is started again');
      setTimeout(() => {
        if (!this.isStopping) this.launch();
      }, RESTART_AFTER_MS).unref();
    });
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      child.once('exit', () => {
        clearTimeout(kill);
        resolve();
      });
      child.stdin?.end();
      child.kill('SIGTERM');
    });
  }
}

function portOf(url: string | undefined): number | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const port = Number(new URL(url).port);
  return port > 0 ? port : undefined;
}

async function freePort(wanted: number | undefined): Promise<number> {
  const bound = wanted === undefined ? undefined : await boundPort(wanted);
  return bound ?? (await boundPort(0)) ?? 0;
}

function boundPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const bound = (server.address() as AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
