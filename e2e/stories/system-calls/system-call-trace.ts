import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** What one system call was made on, by which name and in which thread. */
export interface TracedCall {
  readonly thread: number;
  readonly name: string;
  /** The file, or both ends of the connection; the empty text where it names none. */
  readonly place: string;
}

/** Why there is no trace to be had on this machine; undefined: there is. */
export function noTraceOn(platform: NodeJS.Platform): string | undefined {
  return platform === 'linux' ? undefined : `strace(1) is of Linux, this is ${platform}`;
}

/**
 * Sees to it that strace is there: from the system's packages where we may install.
 * @throws Error in one sentence when it cannot be had
 */
export function ensureStrace(): void {
  const isThere = () => spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0;
  if (isThere()) return;
  if (process.getuid?.() === 0) spawnSync('apt-get', ['install', '-y', 'strace'], { stdio: 'ignore' });
  if (!isThere()) throw new Error('the trace of system calls needs strace: apt-get install strace');
}

/** Follows every thread of a running process. */
export class SystemCallTrace {
  private constructor(
    private readonly strace: ChildProcess,
    private readonly file: string,
  ) {}

  /** @throws Error with strace's own words when it may not attach */
  static async of(pid: number, file: string): Promise<SystemCallTrace> {
    const flags = ['-f', '-yy', '-s', '0', '-o', file, '-p', String(pid)];
    const strace = spawn('strace', flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    let words = '';
    await new Promise<void>((resolve, reject) => {
      strace.stderr.on('data', (chunk: Buffer) => {
        words += chunk.toString('utf8');
        if (words.includes('attached')) resolve();
      });
      strace.once('exit', () => reject(new Error(`strace could not attach: ${words.trim()}`)));
    });
    return new SystemCallTrace(strace, file);
  }

  /** Lets the process go. @returns its system calls in order */
  async end(): Promise<TracedCall[]> {
    const ended = once(this.strace, 'exit');
    this.strace.kill('SIGINT');
    await ended;
    return readFileSync(this.file, 'utf8').split('\n').flatMap(tracedCall);
  }
}

/** One line of strace; a call that was resumed stood in a line before. */
export function tracedCall(line: string): TracedCall[] {
  const found = /^(?<thread>\d+) +(?<name>[a-z_0-9]+)\((?:\d+<(?<place>.*?)>(?=[,)]| <unfinished))?/.exec(line);
  // Nothing was there to be read: not a thing that happened.
  if (found?.groups === undefined || line.includes('= -1 EAGAIN')) return [];
  const { thread, name = '', place = '' } = found.groups;
  return [{ thread: Number(thread), name, place }];
}
