import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExchangeHandler } from './origin-connection.js';
import { OriginPool, type OriginPoolOptions, type PoolRequest } from './origin-pool.js';

const toClose: (() => void)[] = [];
afterEach(() => {
  for (const close of toClose.splice(0).reverse()) close();
});

async function listening(server: ReturnType<typeof createTcpServer>): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An HTTP server that tells from which connection a request came, by number. */
function httpServer(answer: (request: IncomingMessage, response: ServerResponse, connection: number) => void) {
  const seen: Socket[] = [];
  return listening(
    createServer((request, response) => {
      if (!seen.includes(request.socket)) seen.push(request.socket);
      answer(request, response, seen.indexOf(request.socket));
    }),
  );
}

/** A server that does what it is told with each connection; `requests` counts heads that came. */
const rawServer = (serve: (socket: Socket, requests: number) => void) => {
  return listening(
    createTcpServer((socket) => {
      let requests = 0;
      socket.on('data', (bytes) => {
        requests += bytes.toString().split('POST /').length - 1;
        serve(socket, requests);
      });
    }),
  );
};

function poolAt(url: string, options: Partial<OriginPoolOptions> = {}): OriginPool {
  const pool = new OriginPool(new URL(url), { allowPrivateAddress: true, ...options });
  toClose.push(() => pool.destroy());
  return pool;
}

const POST: PoolRequest = { method: 'POST', path: '/x', headers: ['a', 'b'], body: '{}' };

interface Exchange {
  readonly outcome: Promise<string>;
  abort(): void;
}

/** Sends a request; its outcome is `<status> <body>`, or the fault in words. */
function send(pool: OriginPool, request: Partial<PoolRequest> = {}, isWanted = true): Exchange {
  let abort = (): void => {};
  const outcome = new Promise<string>((resolve) => {
    let status = 0;
    const body: Buffer[] = [];
    const handler: ExchangeHandler = {
      onSend: (giveUp) => {
        abort = giveUp;
        if (!isWanted) resolve('not sent');
        return isWanted;
      },
      onHead: (head) => (status = head.status),
      onBody: (bytes) => void body.push(Buffer.from(bytes)),
      onEnd: () => resolve(`${status} ${Buffer.concat(body).toString()}`),
      onFault: (error) => resolve(String((error as { code?: string }).code ?? error.message)),
    };
    pool.dispatch({ ...POST, ...request }, handler);
  });
  return { outcome, abort: () => abort() };
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('exchanges', () => {
  it('send what they are given, to the byte', async () => {
    const url = await httpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { a, host } = request.headers;
        const hasHost = host?.startsWith('127.0.0.1:');
        response.end(`${request.method} ${request.url} ${String(a)} ${hasHost} ${Buffer.concat(chunks).toString()}`);
      });
    });
    const pool = poolAt(url);
    const big = 'ü'.repeat(300_000);
    expect(await send(pool, { body: '{"t":"grüße €"}', path: '/y?z=1' }).outcome).toBe(
      '200 POST /y?z=1 b true {"t":"grüße €"}',
    );
    expect(await send(pool, { body: 'x'.repeat(300_000) }).outcome).toBe(`200 POST /x b true ${'x'.repeat(300_000)}`);
    expect(await send(pool, { body: big }).outcome).toBe(`200 POST /x b true ${big}`);
    expect(await send(pool, { method: 'GET' }).outcome).toBe('200 GET /x b true {}');
  });

  it('follow each other on one connection, and wait where there is no other', async () => {
    const url = await httpServer((request, response, connection) => {
      request.resume().on('end', () => setImmediate(() => response.end(String(connection))));
    });
    const pool = poolAt(url, { bounds: { connectionsMax: 2 } });
    expect(await send(pool).outcome).toBe('200 0');
    expect(await send(pool).outcome).toBe('200 0');
    const many = await Promise.all(Array.from({ length: 50 }, () => send(pool).outcome));
    expect(new Set(many)).toStrictEqual(new Set(['200 0', '200 1']));
    expect(many).toHaveLength(50);
  });

  it('that nobody waits for any more are not sent', async () => {
    let requests = 0;
    const pool = poolAt(await rawServer((socket, count) => ((requests = count), socket.write(OK))));
    await send(pool).outcome;
    expect(await send(pool, {}, false).outcome).toBe('not sent');
    expect(await send(pool).outcome).toBe('200 ok');
    expect(requests).toBe(2);
  });

  it('are given up with their connection, and the one behind gets another', async () => {
    let arrived = (): void => {};
    const hasArrived = new Promise<void>((resolve) => (arrived = resolve));
    const url = await httpServer((request, response, connection) => {
      request.resume().on('end', () => (connection > 0 ? response.end(String(connection)) : arrived()));
    });
    const pool = poolAt(url, { bounds: { connectionsMax: 1 } });
    const hanging = send(pool);
    const behind = send(pool);
    await hasArrived;
    hanging.abort();
    expect(await behind.outcome).toBe('200 1');
  });
});

describe('a connection is not used again', () => {
  const answers: [string, string][] = [
    ['when the server says that it closes it', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'],
    ['when it will be closed in a moment', 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 2\r\n\r\nok'],
    ['when bytes follow that nobody asked for', `${OK}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`],
    ['when the body lasts until its end', 'HTTP/1.1 200 OK\r\n\r\nok'],
  ];
  it.each(answers)('%s', async (_when, answer) => {
    let connections = 0;
    const url = await rawServer((socket, requests) => {
      if (requests === 1) connections += 1;
      socket.write(requests === 1 ? answer : 'HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n');
      if (answer.endsWith('OK\r\n\r\nok')) socket.end();
    });
    const pool = poolAt(url);
    expect(await send(pool).outcome).toBe('200 ok');
    expect(await send(pool).outcome).toBe('200 ok');
    expect(connections).toBe(2);
  });

  it('when the server closed it while it was idle', async () => {
    const sockets: Socket[] = [];
    const url = await rawServer((socket, requests) => {
      if (requests === 1) sockets.push(socket);
      socket.write(OK);
    });
    const pool = poolAt(url);
    expect(await send(pool).outcome).toBe('200 ok');
    const closed = once(sockets[0] as Socket, 'close');
    sockets[0]?.end();
    await closed;
    expect(await send(pool).outcome).toBe('200 ok');
    expect(sockets).toHaveLength(2);
  });

  it('when an answer came before its request had left', async () => {
    let connections = 0;
    const url = await listening(
      createTcpServer((socket) => {
        connections += 1;
        socket.pause().write(OK);
        // Read only after the answer was taken: what is left of the request would stand before the next one.
        socket.once('readable', () => socket.resume());
      }),
    );
    const pool = poolAt(url);
    const outcome = await send(pool, { body: 'x'.repeat(20_000_000) }).outcome;
    expect(['200 ok', 'EGRESS_MALFORMED']).toContain(outcome);
    await send(pool).outcome;
    expect(connections).toBe(2);
  });
});

describe('a fault is told once, of the exchange that it befell', () => {
  it('when nobody listens', async () => {
    const server = createTcpServer();
    const url = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const pool = poolAt(url);
    const faults = await Promise.all([send(pool).outcome, send(pool).outcome]);
    expect(faults).toStrictEqual(['ECONNREFUSED', 'ECONNREFUSED']);
  });

  it('when no connection stands in time', async () => {
    // An address of a test network: nobody answers, or the network is told to be unreachable.
    const pool = poolAt('http://192.0.2.1:9', { bounds: { connectTimeoutMs: 20 } });
    expect(await send(pool).outcome).toMatch(/no connection within 20 ms|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED/);
  });

  it('when the connection breaks under it', async () => {
    const url = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel'));
    expect(await send(poolAt(url)).outcome).toBe('the connection was closed');
  });

  it('when what comes is not HTTP', async () => {
    const url = await rawServer((socket) => socket.write('SSH-2.0-x\r\n\r\n'));
    expect(await send(poolAt(url)).outcome).toBe('EGRESS_MALFORMED');
  });

  it('when the request cannot be written', async () => {
    const pool = poolAt(await rawServer((socket) => socket.write(OK)));
    expect(await send(pool, { ownHeaders: ['x', 'a\r\nb: c'] }).outcome).toContain('x has a value');
    expect(await send(pool).outcome).toBe('200 ok');
  });

  it('when the address is private and nobody named it', async () => {
    const url = await rawServer((socket) => socket.write(OK));
    expect(await send(poolAt(url, { allowPrivateAddress: false })).outcome).toBe('WDR_ADDRESS_REFUSED');
    const named = url.replace('127.0.0.1', 'localhost');
    expect(await send(poolAt(named, { allowPrivateAddress: false })).outcome).toBe('WDR_ADDRESS_REFUSED');
  });

  it('when the pool is closed, whether it runs or waits', async () => {
    const url = await rawServer(() => {});
    const pool = poolAt(url, { bounds: { connectionsMax: 1 } });
    const outcomes = Promise.all([send(pool).outcome, send(pool).outcome]);
    pool.destroy();
    expect(await outcomes).toStrictEqual(['EGRESS_POOL_CLOSED', 'EGRESS_POOL_CLOSED']);
    expect(await send(pool).outcome).toBe('EGRESS_POOL_CLOSED');
  });
});

it('takes http and https only', () => {
  expect(() => poolAt('ftp://example.com')).toThrow(TypeError);
});
