import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import type { ClientTlsSettings } from './client-tls-settings.js';

/** Where and how to connect. */
export interface ClientTlsTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: ClientTlsSettings;
  readonly connectTimeoutMs: number;
}

const KEEP_ALIVE_AFTER_MS = 30_000;

/**
 * Connects over mutual TLS, 1.2 or later; the receiver's certificate is checked against its authority and its name.
 * Under TLS 1.3 the receiver judges our certificate only afterwards: a refusal comes as the end of the connection.
 * The files are read each time, so that a renewed certificate needs no restart.
 * @throws Error whose message names the fault and no secret
 */
export async function connectTls(target: ClientTlsTarget, signal: AbortSignal): Promise<TLSSocket> {
  const { host, port, tls, connectTimeoutMs } = target;
  const files = [tls.caFile, tls.certificateFile, tls.keyFile].map((file) => readFile(file));
  const [ca, cert, key] = (await Promise.all(files)) as [Buffer, Buffer, Buffer];
  const name = tls.serverName ?? host;
  const socket = connect({
    host,
    port,
    ca,
    cert,
    key,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    // An address is no name to ask for (RFC 6066 section 3), but it is one to check.
    ...(isIP(name) === 0 && { servername: name }),
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]);
  try {
    await connected(socket, limit);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
  socket.setNoDelay(true);
  return socket;
}

function connected(socket: TLSSocket, limit: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const gaveUp = (): void => done(new Error('no TLS connection within the time for it'));
    const closed = (): void => done(new Error('the receiver closed the connection before TLS was agreed'));
    const done = (error?: Error): void => {
      limit.removeEventListener('abort', gaveUp);
      socket.off('secureConnect', done).off('error', done).off('close', closed);
      // An error that nobody listens to ends the process; what follows is seen by `close`.
      if (error !== undefined) socket.on('error', () => {});
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.once('secureConnect', done).once('error', done).once('close', closed);
    if (limit.aborted) gaveUp();
    else limit.addEventListener('abort', gaveUp);
  });
}
