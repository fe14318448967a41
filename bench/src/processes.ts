import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadReport } from './load-generator.js';

/** What is measured has one CPU for itself; the load, the upstream and the broker share the other. */
export const MEASURED_CPU = 1;
export const OTHERS_CPU = 0;
const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 15_000;

const canPin = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0;

/** Whether processes have their own CPUs in this run. */
export const isPinned = (): boolean => canPin;

/** Moves a process, with all of its threads and what it starts from now on, to the CPUs of the list, such as `0,1`. */
export function pin(pid: number, cpus: string): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', cpus, String(pid)]);
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** A child process and its last words. */
export interface Started {
  readonly pid: number;
  readonly stop: () => Promise<void>;
  /** Up to the last 4,000 characters of its output. */
  readonly output: () => string;
}

/** What to start: a Node script and its arguments. */
export interface Command {
  readonly args: readonly string[];
  readonly cpu: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts Node pinned to a CPU.
 * @param isReady - asked every 50 ms with what it has printed so far
 * @throws Error with its output when it ends, or is not ready in two minutes
 */
export async function startNode(
  command: Command,
  isReady: (output: string) => boolean | Promise<boolean>,
): Promise<Started> {
  const words = [process.execPath, ...command.args];
  const [program = '', ...args] = canPin ? ['taskset', '-c', String(command.cpu), ...words] : words;
  const child = spawn(program, args, { env: { ...process.env, ...command.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const stopAtMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady(output))) {
    if (child.exitCode !== null || performance.now() > stopAtMs) {
      child.kill('SIGKILL');
      throw new Error(`${command.args.join(' ')} did not become ready:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { pid: child.pid ?? 0, stop: () => end(child), output: () => output };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(killer);
}

const saysReady = (output: string): boolean => output.includes('ready');

/** The upstream of this bench. */
export const startUpstream = (port: number): Promise<Started> =>
  startNode({ args: [here('./upstream.js'), String(port)], cpu: OTHERS_CPU }, saysReady);

/** A Node proxy script that takes PORT and UPSTREAM_PORT and prints `ready`. */
export const startProxy = (script: string, port: number, upstreamPort: number): Promise<Started> =>
  startNode({ args: [script, String(port), String(upstreamPort)], cpu: MEASURED_CPU }, saysReady);

/** The load generator's process. */
export interface LoadGenerator {
  open(target: string, at: Extract<LoadOrder, { do: 'open' }>['at'], connections: number): Promise<void>;
  run(target: string, durationMs: number): Promise<LoadReport>;
  stop(): void;
}

/** Starts the load generator; it ends with this process. */
export function startLoadGenerator(): LoadGenerator {
  const child = fork(here('./load-generator.js'), { stdio: 'inherit' });
  if (child.pid !== undefined) pin(child.pid, String(OTHERS_CPU));
  const order = async (what: LoadOrder): Promise<unknown> => {
    const answered = once(child, 'message') as Promise<[{ report?: unknown; error?: string }]>;
    child.send(what);
    const [{ report, error }] = await answered;
    if (error !== undefined) throw new Error(`load on ${what.target}: ${error}`);
    return report;
  };
  return {
    open: async (target, at, connections) => void (await order({ do: 'open', target, at, connections })),
    run: async (target, durationMs) => (await order({ do: 'run', target, durationMs })) as LoadReport,
    stop: () => child.kill(),
  };
}

/** A loopback port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
