import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ConfigError } from './config-error.js';
import type { HostSettings } from './host-settings.js';

/**
 * The process's one HTTP server, with every bound set: Node's defaults let a slow client hold a socket for minutes.
 * @throws ConfigError when the certificate or its key cannot be read or do not fit
 */
export function createListener(settings: Pick<HostSettings, 'bounds' | 'tls'>, onRequest: RequestListener): Server {
  const { bounds, tls } = settings;
  const options: ServerOptions = {
    maxHeaderSize: bounds.headerBytesMax,
    headersTimeout: bounds.headersTimeoutMs,
    requestTimeout: Math.max(bounds.requestTimeoutMs, bounds.headersTimeoutMs),
    keepAliveTimeout: bounds.keepAliveTimeoutMs,
    // Time-outs are only seen when Node looks; its default is every 30 s.
    connectionsCheckingInterval: Math.min(2_000, bounds.headersTimeoutMs),
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createServer(options, onRequest)
      : createTlsServer({ ...options, ...readCertificate(tls), minVersion: 'TLSv1.2' }, onRequest);
  server.maxConnections = bounds.connectionsMax;
  return server;
}

function readCertificate(tls: NonNullable<HostSettings['tls']>): { cert: Buffer; key: Buffer } {
  const read = (key: 'certificateFile' | 'keyFile') => {
    try {
      return readFileSync(tls[key]);
    } catch {
      throw new ConfigError(`tls.${key}: ${tls[key]} cannot be read`);
    }
  };
  return { cert: read('certificateFile'), key: read('keyFile') };
}

/**
 * Binds the server.
 * @param key - of the settings, for the error
 * @returns the port, the bound one where 0 was asked for
 * @throws ConfigError when the address cannot be had (taken, not ours, not allowed)
 */
export async function bind(server: Server, listen: HostSettings['listen'], key = 'listen'): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: listen.host, port: listen.port }, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EADDRINUSE' ? 'is already in use' : `cannot be bound (${error.code ?? error.message})`;
    throw new ConfigError(`${key}.port: ${listen.host}:${listen.port} ${why}`);
  });
  return (server.address() as AddressInfo).port;
}
