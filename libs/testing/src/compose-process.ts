import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** One service as a process of this machine. */
export interface RunningService {
  readonly name: string;
  readonly pid: number | undefined;
  /** All that it has written so far. */
  logs(): string;
  /** Sends the signal and waits for the end where it is one that ends. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it gracefully where it still runs, starts it again and waits until it is healthy. */
  restart(): Promise<void>;
  /** Starts it, where it does not run, without waiting for its health. */
  start(): Promise<void>;
  /** Resolves when its health check passes; rejects at the time-out, with its last lines. */
  healthy(timeoutMs: number): Promise<void>;
  /** SIGTERM, and SIGKILL when that is not enough. */
  stop(): Promise<void>;
}

export interface ProcessSettings {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly logFile: string;
  readonly healthTest: readonly string[];
}

const STOP_MS = 25_000;
// A check is a process of its own: more often, and on two cores the checks of a cluster starve its start.
const HEALTH_EVERY_MS = 750;
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT']);
const run = promisify(execFile);
const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A process that ends with ours, even when ours is killed, where setpriv(1) exists; else at our exit. */
export class ServiceProcess implements RunningService {
  readonly name: string;
  private child: ChildProcess | undefined;

  constructor(private readonly settings: ProcessSettings) {
    this.name = settings.name;
  }

  get pid(): number | undefined {
    return this.isRunning() ? this.child?.pid : undefined;
  }

  logs(): string {
    return readFileSync(this.settings.logFile, 'utf8');
  }

  async start(): Promise<void> {
    if (this.isRunning()) return;
    const { command, environment, workingDir, logFile } = this.settings;
    const [program = '', ...words] = [...followUs(), ...command.map((word, at) => (at === 0 ? programOf(word) : word))];
    const log = openSync(logFile, 'a', 0o600);
    this.child = spawn(program, words, {
      cwd: workingDir,
      env: { ...baseEnvironment(), ...environment },
      stdio: ['ignore', log, log],
      // Out of our terminal's group: Ctrl-C is for us, and we stop them in order.
      detached: true,
    });
    closeSync(log);
    const { child } = this;
    running.add(child);
    child.once('exit', () => running.delete(child));
    await once(this.child, 'spawn');
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning() || this.child === undefined) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    if (ENDING.has(signal)) await exited;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
    await this.healthy(60_000);
  }

  async healthy(timeoutMs: number): Promise<void> {
    const [program, ...words] = this.settings.healthTest;
    const stopAtMs = performance.now() + timeoutMs;
    while (program !== undefined) {
      if (!this.isRunning()) throw new Error(`${this.name} ended: ${this.lastLines()}`);
      const env = { ...baseEnvironment(), ...this.settings.environment };
      const test = run(programOf(program), words, { env, cwd: this.settings.workingDir, timeout: 10_000 });
      if (
        await test.then(
          () => true,
          () => false,
        )
      )
        return;
      if (performance.now() > stopAtMs) throw new Error(`${this.name} is not healthy: ${this.lastLines()}`);
      await new Promise((resolve) => setTimeout(resolve, HEALTH_EVERY_MS));
    }
  }

  /** Waits for a one-shot. */
  async completed(timeoutMs: number): Promise<void> {
    const { child } = this;
    if (child === undefined) throw new Error(`${this.name} was not started`);
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    if (this.isRunning()) await once(child, 'exit');
    clearTimeout(timer);
    if (child.exitCode !== 0)
      throw new Error(`${this.name} failed (${child.exitCode ?? child.signalCode}): ${this.lastLines()}`);
  }

  async stop(): Promise<void> {
    const killer = setTimeout(() => void this.child?.kill('SIGKILL'), STOP_MS);
    await this.kill('SIGTERM');
    clearTimeout(killer);
  }

  private isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  private lastLines(): string {
    return this.logs().trimEnd().split('\n').slice(-3).join(' | ').slice(-1_500);
  }
}

let hasSetpriv: boolean | undefined;

// The kernel ends the process when the one that started it ends.
function followUs(): string[] {
  hasSetpriv ??= process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;
  return hasSetpriv ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
}

function programOf(word: string): string {
  return word === 'node' ? process.execPath : word;
}

// What a container would have of its own; nothing of ours that the file does not say.
function baseEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR = '', JAVA_HOME = '' } = process.env;
  const all = { PATH, HOME, TMPDIR, JAVA_HOME, LANG: 'C.UTF-8' };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}
