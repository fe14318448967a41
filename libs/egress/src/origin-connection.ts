import type { Socket } from 'node:net';
import type { Dialler } from './dial.js';
import { type ResponseHead, ResponseParser } from './response-parser.js';

/** Hears what becomes of one exchange. Nothing is called after `onEnd` or `onFault`, and nothing of it may throw. */
export interface ExchangeHandler {
  /**
   * A connection is there and the request is about to leave.
   * @param abort - gives the exchange up, with its connection
   * @returns false when nobody waits for it any more: then nothing is sent
   */
  onSend(abort: () => void): boolean;
  onHead(head: ResponseHead): void;
  /** @param bytes - valid during the call only: the next read overwrites them */
  onBody(bytes: Buffer): void;
  onEnd(): void;
  /** The connection broke, could not be made, or what came over it is no HTTP. */
  onFault(error: Error): void;
}

/** A request as it leaves, its head without the blank line. */
export interface OutgoingRequest {
  readonly head: string;
  readonly body: string | undefined;
}

/** What a connection tells its pool. */
export interface ConnectionKeeper {
  /** It can take a request: it has just been made, or has ended an exchange. */
  onFree(connection: OriginConnection): void;
  /** It is gone; `error` is why it could not be made. */
  onGone(connection: OriginConnection, error: Error | undefined): void;
}

const READ_BYTES = 65_536;
// One for all: a read hands its bytes out before the next one begins. Two exchanges never read at the same moment.
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** One connection to an origin: one exchange at a time, no bytes but those of the exchange. */
export class OriginConnection {
  private readonly socket: Socket;
  private readonly parser = new ResponseParser({
    onHead: (head) => this.handler?.onHead(head),
    onBody: (bytes) => this.handler?.onBody(bytes),
    onEnd: () => this.ended(),
  });
  private readonly openTimer: NodeJS.Timeout;
  private handler: ExchangeHandler | undefined;
  private error: Error | undefined;
  private isOpen = false;
  private isGone = false;
  /** Its pool's: it has not been free yet. */
  isNew = true;
  /** Its pool's: sweeps that it has been idle for. */
  idleSweeps = 0;

  /** @throws AddressRefused */
  constructor(
    dialler: Dialler,
    openTimeoutMs: number,
    private readonly keeper: ConnectionKeeper,
  ) {
    this.socket = dialler.dial({ buffer: readBuffer, callback: (bytes) => this.read(bytes) }, () => this.opened());
    this.openTimer = setTimeout(
      () => this.destroy(new Error(`no connection within ${openTimeoutMs} ms`)),
      openTimeoutMs,
    ).unref();
    this.socket.on('error', (error) => (this.error ??= error));
    this.socket.on('end', () => this.finish());
    this.socket.on('close', () => this.gone());
    // Nothing flows through the stream, but its end is told only to a reader.
    this.socket.resume();
  }

  /** Whether it can still carry anything. */
  get isUsable(): boolean {
    return !this.socket.destroyed;
  }

  /** Seconds that the server keeps an idle connection, as it said last. */
  get keepAliveSeconds(): number | undefined {
    return this.parser.keepAliveSeconds;
  }

  /** Sends a request over a connection that is free. @returns whether it is taken; otherwise the connection is still free */
  send(request: OutgoingRequest, handler: ExchangeHandler): boolean {
    if (!handler.onSend(() => this.abort(handler))) return false;
    this.handler = handler;
    this.parser.expect();
    const { socket } = this;
    const { head, body } = request;
    if (body === undefined) {
      socket.write(`${head}\r\n`, 'latin1');
      return true;
    }
    const bytes = Buffer.byteLength(body);
    const whole = `${head}content-length: ${bytes}\r\n\r\n`;
    // ASCII, as nearly all JSON is, goes out in one write and is copied once.
    if (bytes === body.length) socket.write(whole + body, 'latin1');
    else {
      socket.cork();
      socket.write(whole, 'latin1');
      socket.write(body, 'utf8');
      socket.uncork();
    }
    return true;
  }

  /** Closes it, whatever runs on it. */
  destroy(error?: Error): void {
    this.error ??= error;
    this.socket.destroy();
  }

  private abort(handler: ExchangeHandler): void {
    if (this.handler !== handler) return;
    this.handler = undefined;
    this.socket.destroy();
  }

  private opened(): void {
    clearTimeout(this.openTimer);
    this.isOpen = true;
    this.keeper.onFree(this);
  }

  private read(length: number): boolean {
    if (this.isGone) return false;
    try {
      this.parser.push(readBuffer.subarray(0, length));
    } catch (error) {
      this.destroy(error as Error);
      return false;
    }
    // Behind the parser, which is through with the bytes: what is sent next may be answered into the same buffer.
    if (this.handler === undefined && !this.socket.destroyed) this.release();
    return true;
  }

  private release(): void {
    // A request that is still on its way to a server that has answered already would be followed by the next one.
    if (this.parser.isReusable && this.socket.writableLength === 0) this.keeper.onFree(this);
    else this.socket.destroy();
  }

  private ended(): void {
    const { handler } = this;
    this.handler = undefined;
    handler?.onEnd();
  }

  private finish(): void {
    this.parser.finish();
    this.socket.destroy();
  }

  private gone(): void {
    this.isGone = true;
    clearTimeout(this.openTimer);
    const { handler } = this;
    this.handler = undefined;
    const error = this.error ?? new Error('the connection was closed');
    // The pool first: whoever hears of the fault may ask it for another connection.
    this.keeper.onGone(this, this.isOpen ? undefined : error);
    handler?.onFault(error);
  }
}
