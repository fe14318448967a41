import { type ChildProcess, spawn } from 'node:child_process';
import type { Logger } from '@warder/telemetry';
import { childEnvironment, type StdioEntry } from './stdio-entry.js';

export interface ChildBounds {
  readonly answerBytesMax: number;
  readonly exitGraceMs: number;
}

/** What a child's owner hears. */
export interface ChildListener {
  onLine(line: string): void;
  /** Once; the reason is for the operator. */
  onExit(reason: string): void;
}

const NEWLINE = 10;
const STDERR_CHARS_MAX = 2_000;
// A child that does not read its input would otherwise fill our memory.
const INPUT_BYTES_MAX = 16 * 1024 * 1024;

const running = new Set<StdioChild>();
// A gateway that ends without draining takes its children with it; after a kill -9 their input's end tells them.
process.on('exit', () => running.forEach((child) => child.killNow()));

/**
 * One running child: messages are lines on its stdin and stdout. It leads a process group of its own, so that whatever
 * it started leaves with it.
 */
export class StdioChild {
  private readonly process: ChildProcess;
  private pieces: Buffer[] = [];
  private pieceBytes = 0;
  private isGone = false;
  readonly gone: Promise<void>;

  constructor(
    entry: StdioEntry,
    private readonly bounds: ChildBounds,
    private readonly listener: ChildListener,
    log: Logger,
  ) {
    this.process = spawn(entry.command, [...(entry.args ?? [])], {
      env: childEnvironment(entry, process.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      ...(entry.cwd === undefined ? {} : { cwd: entry.cwd }),
    });
    this.gone = new Promise((resolve) => {
      const leave = (reason: string) => {
        if (this.isGone) return;
        this.isGone = true;
        running.delete(this);
        // Children of the child may live on after it.
        this.signal('SIGKILL');
        resolve();
        this.listener.onExit(reason);
      };
      this.process.once('error', (error) => leave(error.message));
      this.process.once('exit', (code, signal) => leave(`exit ${signal ?? code}`));
    });
    running.add(this);
    this.process.stdout?.on('data', (chunk: Buffer) => this.read(chunk));
    this.process.stderr?.on('data', (chunk: Buffer) => {
      log.debug({ stderr: chunk.toString('utf8', 0, STDERR_CHARS_MAX) }, 'stdio upstream');
    });
    // A broken pipe is followed by the exit, which tells.
    this.process.stdin?.on('error', () => undefined);
  }

  /** Writes one message; false if the child is gone or does not read. */
  write(line: string): boolean {
    const input = this.process.stdin;
    if (this.isGone || input === null || !input.writable || input.writableLength > INPUT_BYTES_MAX) return false;
    input.write(`${line}\n`);
    return true;
  }

  /** Closes the input, then asks, then kills; resolves when the process is gone. */
  async stop(): Promise<void> {
    if (this.isGone) return;
    this.process.stdin?.end();
    const ask = setTimeout(() => this.signal('SIGTERM'), this.bounds.exitGraceMs / 2);
    const kill = setTimeout(this.killNow, this.bounds.exitGraceMs);
    await this.gone;
    clearTimeout(ask);
    clearTimeout(kill);
  }

  /** Kills the whole group, without asking. */
  readonly killNow = () => this.signal('SIGKILL');

  private signal(name: NodeJS.Signals): void {
    const { pid } = this.process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // ESRCH: the whole group has left already.
    }
  }

  private read(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.keep(chunk.subarray(from, end));
      from = end + 1;
      const line = Buffer.concat(this.pieces).toString('utf8').trim();
      this.pieces = [];
      this.pieceBytes = 0;
      if (line !== '') this.listener.onLine(line);
    }
    this.keep(chunk.subarray(from));
    // A child that writes without end is not a server of this protocol.
    if (this.pieceBytes > this.bounds.answerBytesMax) this.killNow();
  }

  private keep(piece: Buffer): void {
    this.pieces.push(piece);
    this.pieceBytes += piece.length;
  }
}
