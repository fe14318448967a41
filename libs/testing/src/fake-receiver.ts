import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A request as a fake reads it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded, and un-zipped where the request says so. */
  readonly body: string;
}

export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * What goes wrong with one request: `reset-before` loses it unread, `reset-after` acts on it and loses the answer,
 * `reset-within` acts and loses the second half of the answer, `silent` acts and never answers; an answer stands in for
 * the fake's own, without acting; `until` lets the fake wait before it acts.
 */
export type FakeFault =
  'reset-before' | 'reset-after' | 'reset-within' | 'silent' | FakeAnswer | { until: Promise<void> };

/** The HTTP server of a strict fake: it counts requests and plays the faults it is given, one for each request. */
export class FakeReceiver {
  readonly requests: ReceivedRequest[] = [];
  /** Taken from the front, one for each request that comes; `undefined` lets one pass. */
  readonly faults: (FakeFault | undefined)[] = [];

  private constructor(
    readonly url: string,
    private readonly server: ReturnType<typeof createServer>,
  ) {}

  /** @param tls - PEM; plain HTTP without it */
  static async start(
    answer: (request: ReceivedRequest) => FakeAnswer,
    tls?: { readonly cert: string; readonly key: string },
  ): Promise<FakeReceiver> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const receiver = new FakeReceiver(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, server);
    server.on('request', (request, response) => void receiver.serve(request, response, answer));
    return receiver;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(
    request: IncomingMessage,
    response: ServerResponse,
    answer: (request: ReceivedRequest) => FakeAnswer,
  ): Promise<void> {
    const fault = this.faults.shift();
    if (fault === 'reset-before') {
      request.socket.resetAndDestroy();
      return;
    }
    const received = await read(request);
    this.requests.push(received);
    if (typeof fault === 'object' && 'until' in fault) await fault.until;
    const given = typeof fault === 'object' && 'status' in fault ? fault : answer(received);
    if (fault === 'silent') return;
    if (fault === 'reset-after') {
      request.socket.resetAndDestroy();
      return;
    }
    response.writeHead(given.status, {
      'content-type': 'application/json',
      ...given.headers,
      'content-length': String(Buffer.byteLength(given.body)),
    });
    if (fault !== 'reset-within') response.end(given.body);
    else response.write(given.body.slice(0, given.body.length / 2), () => request.socket.resetAndDestroy());
  }
}

/** An answer in JSON. */
export function fakeJson(status: number, body: unknown): FakeAnswer {
  return { status, body: JSON.stringify(body) };
}

async function read(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const url = new URL(request.url ?? '/', 'http://fake');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === 'string') headers[name] = value;
  const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers,
    // A body that is not UTF-8 is no body that any of these receivers takes.
    body: new TextDecoder('utf-8', { fatal: true }).decode(plain),
  };
}
