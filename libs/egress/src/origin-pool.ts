import { type DialOptions, Dialler } from './dial.js';
import { POOL_BOUNDS, type PoolBounds } from './guarded-pool.js';
import { type ExchangeHandler, OriginConnection, type OutgoingRequest } from './origin-connection.js';
import { headerLines, linesOf, requestStart } from './request-head.js';

/** One request to the origin of a pool. */
export interface PoolRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  /** Flat list of names and values that many requests share: it is proved once, so it must not change. */
  readonly headers: readonly string[];
  /** The same, of this request alone. */
  readonly ownHeaders?: readonly string[];
  readonly body?: string;
}

export interface OriginPoolOptions extends DialOptions {
  readonly bounds?: Partial<PoolBounds>;
}

/** What an exchange hears whose pool was closed. */
export class PoolClosed extends Error {
  override readonly name = 'PoolClosed';
  readonly code = 'EGRESS_POOL_CLOSED';
}

interface Waiting {
  readonly request: OutgoingRequest;
  readonly handler: ExchangeHandler;
}

const SWEEP_EVERY_MS = 1_000;
/** A connection is given up so long before the server said that it would close it: its last moments are a race. */
const CLOSING_SECONDS = 2;

/**
 * Connections to one origin for exchanges whose answers go to a handler, one exchange on a connection at a time. The
 * least that a call needs: about half the CPU time of a general client. The address is checked where it is dialled, no
 * redirect is followed, no request is sent twice, and there is no time limit on answers: callers hold their own.
 */
export class OriginPool {
  private readonly bounds: PoolBounds;
  private readonly dialler: Dialler;
  private readonly host: string;
  private readonly connections = new Set<OriginConnection>();
  private readonly free: OriginConnection[] = [];
  private waiting: Waiting[] = [];
  private opening = 0;
  private sweeper: NodeJS.Timeout | undefined;
  private isClosed = false;
  private start = { method: '', path: '', text: '' };

  /** @throws TypeError for an origin that is not http or https, or not https where it is to have a client certificate */
  constructor(origin: URL, options: OriginPoolOptions) {
    if (origin.protocol !== 'http:' && origin.protocol !== 'https:') {
      throw new TypeError('only http and https are dialled');
    }
    if (origin.protocol === 'http:' && options.clientCertificate !== undefined)
      throw new TypeError('a client certificate is of https only');
    this.bounds = { ...POOL_BOUNDS, ...options.bounds };
    this.dialler = new Dialler(origin, options);
    this.host = origin.host;
  }

  /** Sends a request when there is a connection for it. Never throws: what is wrong with it is a fault of the exchange. */
  dispatch(request: PoolRequest, handler: ExchangeHandler): void {
    if (this.isClosed) return handler.onFault(new PoolClosed('the pool is closed'));
    let head: string;
    try {
      head = this.startOf(request) + headerLines(request.headers);
      if (request.ownHeaders !== undefined) head += linesOf(request.ownHeaders);
    } catch (error) {
      return handler.onFault(error as Error);
    }
    const outgoing = { head, body: request.body };
    let connection = this.free.pop();
    while (connection?.isUsable === false) connection = this.free.pop();
    if (connection === undefined) {
      this.waiting.push({ request: outgoing, handler });
      return this.openForWaiting();
    }
    if (!connection.send(outgoing, handler)) this.free.push(connection);
  }

  /** Closes every connection; exchanges that run or wait hear `PoolClosed`. */
  destroy(): void {
    this.isClosed = true;
    clearInterval(this.sweeper);
    const { waiting } = this;
    this.waiting = [];
    for (const connection of this.connections) connection.destroy(new PoolClosed('the pool was closed'));
    for (const { handler } of waiting) handler.onFault(new PoolClosed('the pool was closed'));
  }

  private startOf({ method, path }: PoolRequest): string {
    if (this.start.method !== method || this.start.path !== path) {
      this.start = { method, path, text: requestStart(method, path, this.host) };
    }
    return this.start.text;
  }

  /** As many connections as requests wait, within the bound. */
  private openForWaiting(): void {
    while (this.waiting.length > this.opening && this.connections.size < this.bounds.connectionsMax) {
      try {
        const connection = new OriginConnection(this.dialler, this.bounds.connectTimeoutMs, {
          onFree: (free) => this.takeBack(free),
          onGone: (gone, error) => this.remove(gone, error),
        });
        this.connections.add(connection);
        this.opening += 1;
      } catch (error) {
        this.waiting.shift()?.handler.onFault(error as Error);
      }
    }
    this.sweeper ??= setInterval(() => this.sweep(), SWEEP_EVERY_MS).unref();
  }

  private takeBack(connection: OriginConnection): void {
    if (connection.isNew) {
      connection.isNew = false;
      this.opening -= 1;
    }
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (connection.send(next.request, next.handler)) return;
    }
    if (this.idleSeconds(connection) <= 0) return connection.destroy();
    connection.idleSweeps = 0;
    this.free.push(connection);
  }

  private remove(connection: OriginConnection, error: Error | undefined): void {
    this.connections.delete(connection);
    const at = this.free.indexOf(connection);
    if (at !== -1) this.free.splice(at, 1);
    if (connection.isNew) this.opening -= 1;
    if (this.isClosed) return;
    // The one that has waited longest hears why; each of the others has an attempt of its own.
    const failed = error === undefined ? undefined : this.waiting.shift();
    this.openForWaiting();
    if (error !== undefined) failed?.handler.onFault(error);
  }

  private sweep(): void {
    for (const connection of this.free) {
      connection.idleSweeps += 1;
      if (connection.idleSweeps >= this.idleSeconds(connection)) connection.destroy();
    }
  }

  private idleSeconds({ keepAliveSeconds }: OriginConnection): number {
    const own = this.bounds.idleTimeoutMs / SWEEP_EVERY_MS;
    return keepAliveSeconds === undefined ? own : Math.min(own, keepAliveSeconds - CLOSING_SECONDS);
  }
}
