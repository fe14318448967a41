import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, closeSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One record as a receiver wrote it down: what it took for message id, structured data and message. */
export interface ReceivedLine {
  readonly host: string;
  readonly msgid: string;
  readonly sd: string;
  readonly msg: string;
}

/** How a receiver is run. */
export interface ReceiverProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly libraryPath: string;
  readonly config: string;
  /** Ports on loopback that accept when it is ready. */
  readonly ports: readonly number[];
}

const READY_TIMEOUT_MS = 20_000;
const PROBE_EVERY_MS = 20;
const STOP_TIMEOUT_MS = 10_000;

/** A real log daemon of one test, as a plain process in a directory of its own. */
export class SiemReceiver {
  private child: ChildProcess | undefined;

  private constructor(
    readonly dir: string,
    private readonly program: ReceiverProgram,
  ) {}

  /** @throws Error with the daemon's own words when it does not come up */
  static async start(make: (dir: string) => Promise<ReceiverProgram>): Promise<SiemReceiver> {
    const dir = await mkdtemp(join(tmpdir(), 'warder-siem-'));
    const receiver = new SiemReceiver(dir, await make(dir));
    await writeFile(join(dir, 'receiver.conf'), receiver.program.config);
    await receiver.launch();
    return receiver;
  }

  /** Ends it at once, as a crash would; its files stay. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Starts it again on the same ports and files. */
  async launch(): Promise<void> {
    const { command, args, libraryPath, ports, name } = this.program;
    const logFile = join(this.dir, 'receiver.log');
    const output = openSync(logFile, 'a');
    const env = { PATH: process.env.PATH, LD_LIBRARY_PATH: libraryPath };
    const child = spawn(command, args, { cwd: this.dir, env, stdio: ['ignore', output, output] });
    closeSync(output);
    const killWithUs = (): boolean => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => process.off('exit', killWithUs));
    this.child = child;
    const stopAtMs = performance.now() + READY_TIMEOUT_MS;
    for (const port of ports) {
      while (!(await accepts(port))) {
        if (child.exitCode !== null || performance.now() > stopAtMs) {
          child.kill('SIGKILL');
          throw new Error(`${name} did not come up: ${(await readFile(logFile, 'utf8')).slice(-2_000)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
      }
    }
  }

  /** What was written down so far into one of its files; a line that is being written is left out. */
  async lines(file: string): Promise<ReceivedLine[]> {
    const path = join(this.dir, file);
    if (!existsSync(path)) return [];
    const whole = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    return whole.map((line) => JSON.parse(line) as ReceivedLine);
  }

  /** Ends it and removes its directory. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
    await rm(this.dir, { recursive: true, force: true });
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(killer);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('error', () => finish(false)).once('connect', () => finish(true));
  });
}

/** A port of loopback that was free a moment ago. */
export async function freeReceiverPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
