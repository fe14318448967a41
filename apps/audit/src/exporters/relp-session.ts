import type { TLSSocket } from 'node:tls';
import { relpFrame, type RelpFrame, RelpReader } from './relp-frame.js';

/** The receiver's answer to one command: 200, or what went wrong. */
export interface RelpAnswer {
  readonly code: number;
  /** The receiver's words, which may repeat what it was sent: not for logs. */
  readonly text: string;
}

interface Waiting {
  resolve(answer: RelpAnswer): void;
  reject(error: Error): void;
}

const TXNR_MAX = 999_999_999;
const OFFER = 'relp_version=0\nrelp_software=warder,1\ncommands=syslog';

/** One RELP session on one connection: commands out, answers in, told apart by their transaction numbers. */
export class RelpSession {
  private readonly reader = new RelpReader();
  private readonly waiting = new Map<number, Waiting>();
  private txnr = 0;
  private ended: Error | undefined;

  constructor(private readonly socket: TLSSocket) {
    socket.on('data', (bytes: Buffer) => this.take(bytes));
    socket.on('error', () => {});
    socket.once('close', () => {
      const { errored } = socket;
      const cause = errored === null ? '' : ` (${(errored as NodeJS.ErrnoException).code ?? 'an error'})`;
      this.end(new Error(`the receiver closed the connection${cause}`));
    });
    if (socket.destroyed) this.end(new Error('the receiver closed the connection'));
  }

  /** Whether commands can still be sent. */
  get isOpen(): boolean {
    return this.ended === undefined;
  }

  /**
   * Agrees on version and commands.
   * @throws Error when the receiver refuses, or takes no syslog
   */
  async open(): Promise<void> {
    const { code, text } = await this.command('open', Buffer.from(OFFER, 'latin1'));
    if (code !== 200) throw new Error(`the receiver refuses to open a session (${code})`);
    if (!/^commands=(?:.*,)?syslog(?:,|$)/m.test(text)) throw new Error('the receiver takes no syslog');
  }

  /** Resolves with the receiver's answer to one syslog message; rejects when the connection ends before it. */
  syslog(message: Buffer): Promise<RelpAnswer> {
    return this.command('syslog', message);
  }

  /** Ends the session as the protocol has it. */
  async close(): Promise<void> {
    if (this.isOpen) await this.command('close', Buffer.alloc(0)).catch(() => {});
    this.end(new Error('the session was closed'));
  }

  /** Ends the connection at once; what waits for an answer fails with the reason. */
  end(reason: Error): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    this.socket.destroy();
    for (const waiting of this.waiting.values()) waiting.reject(reason);
    this.waiting.clear();
  }

  private command(command: string, data: Buffer): Promise<RelpAnswer> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) return reject(this.ended);
      // 0 is kept for the receiver's own hints.
      this.txnr = (this.txnr % TXNR_MAX) + 1;
      this.waiting.set(this.txnr, { resolve, reject });
      this.socket.write(relpFrame(this.txnr, command, data));
    });
  }

  private take(bytes: Buffer): void {
    try {
      for (const frame of this.reader.take(bytes)) this.answer(frame);
    } catch (error) {
      this.end(error as Error);
    }
  }

  private answer({ txnr, command, data }: RelpFrame): void {
    if (command === 'serverclose') return this.end(new Error('the receiver ends the session'));
    const waiting = this.waiting.get(txnr);
    const text = data.toString('utf8');
    const code = /^(\d{3})(?: |\n|$)/.exec(text)?.[1];
    if (command !== 'rsp' || waiting === undefined || code === undefined)
      return this.end(new Error('the receiver answers what nobody asked'));
    this.waiting.delete(txnr);
    waiting.resolve({ code: Number(code), text });
  }
}
