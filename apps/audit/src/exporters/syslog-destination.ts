import type { TLSSocket } from 'node:tls';
import { connectTls } from './client-tls.js';
import type { Destination, DestinationState, ExportRecord, RefusedRecord } from './destination.js';
import { SentWindow } from './sent-window.js';
import type { SyslogSettings } from './syslog-settings.js';
import { syslogTexts } from './syslog-text.js';

/**
 * RFC 5424 messages over mutual TLS, each framed by its length (RFC 5425). Syslog knows no acknowledgement: a write that
 * succeeded is in a buffer of this machine and no further, and a killed receiver takes along what it had not written
 * (measured: 50 of 20,000). So the last messages are kept and sent again after each reconnect; the record's id tells
 * those that come twice.
 */
export class SyslogDestination implements Destination {
  private readonly sent: SentWindow;
  private socket: TLSSocket | undefined;
  /** Whether the socket has stood for long enough to believe that the receiver accepts us. */
  private isSettled = false;
  private status: DestinationState['status'] = 'idle';

  constructor(private readonly settings: SyslogSettings) {
    this.sent = new SentWindow(settings.rewindBytesMax);
  }

  async send(batch: readonly ExportRecord[], signal: AbortSignal): Promise<readonly RefusedRecord[]> {
    const { texts, refused } = syslogTexts(batch, this.settings);
    const frames = texts.map(({ message }) => frameOf(message));
    try {
      const socket = await this.connected(signal);
      await written(socket, Buffer.concat(frames), signal);
      await this.settled(socket, signal);
    } catch (error) {
      this.status = 'failing';
      this.drop();
      throw error;
    }
    // Only now: until here the batch itself comes again.
    for (const frame of frames) this.sent.keep(frame);
    this.status = 'well';
    return refused;
  }

  state(): DestinationState {
    return { status: this.status };
  }

  /** Says the end of TLS and waits for the receiver's, which comes when it has read everything. */
  async close(): Promise<void> {
    const { socket } = this;
    this.socket = undefined;
    if (socket === undefined || socket.destroyed) return;
    const end = new Promise((resolve) => socket.once('close', resolve));
    const limit = setTimeout(() => socket.destroy(), this.settings.connectTimeoutMs);
    socket.end();
    await end;
    clearTimeout(limit);
  }

  private async connected(signal: AbortSignal): Promise<TLSSocket> {
    if (this.socket !== undefined) return this.socket;
    const socket = await connectTls(this.settings, signal);
    socket.on('error', () => {});
    // Reading is how the refusal of a certificate and the end of the connection are noticed.
    socket.resume();
    socket.once('close', () => {
      if (this.socket === socket) this.drop();
    });
    this.isSettled = false;
    this.socket = socket;
    for (const chunk of this.sent.chunks()) await written(socket, chunk, signal);
    return socket;
  }

  private async settled(socket: TLSSocket, signal: AbortSignal): Promise<void> {
    if (this.isSettled) return;
    await stands(socket, this.settings.settleMs, signal);
    this.isSettled = true;
  }

  private drop(): void {
    this.socket?.destroy();
    this.socket = undefined;
    if (this.status === 'well') this.status = 'failing';
  }
}

/** `MSG-LEN SP SYSLOG-MSG` of RFC 5425 section 4.3: no byte of a message can begin another one. */
function frameOf(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `, 'latin1'), message]);
}

/** Resolves when the bytes have left this process; rejects when the connection ends or the signal fires before. */
function written(socket: TLSSocket, bytes: Buffer, signal: AbortSignal): Promise<void> {
  return whileOpen(socket, signal, (resolve) => {
    socket.write(bytes, (error) => {
      if (error === undefined || error === null) resolve();
    });
  });
}

/** Resolves when the connection is still open after the time. */
function stands(socket: TLSSocket, forMs: number, signal: AbortSignal): Promise<void> {
  return whileOpen(socket, signal, (resolve) => {
    const timer = setTimeout(resolve, forMs);
    return () => clearTimeout(timer);
  });
}

function whileOpen(
  socket: TLSSocket,
  signal: AbortSignal,
  work: (resolve: () => void) => (() => void) | void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let undo: (() => void) | void = undefined;
    const done = (error?: Error): void => {
      undo?.();
      signal.removeEventListener('abort', late);
      socket.off('close', closed);
      if (error === undefined) resolve();
      else reject(error);
    };
    const late = (): void => done(new Error('the receiver does not take what is sent'));
    const closed = (): void => done(new Error(closeReason(socket)));
    if (socket.destroyed) return closed();
    if (signal.aborted) return late();
    socket.once('close', closed);
    signal.addEventListener('abort', late);
    undo = work(() => done());
  });
}

function closeReason(socket: TLSSocket): string {
  const cause = socket.errored === null ? '' : ` (${(socket.errored as NodeJS.ErrnoException).code ?? 'an error'})`;
  return `the receiver closed the connection${cause}`;
}
