import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Logger } from '@warder/telemetry';
import type { RawHandler } from './service.js';

/**
 * Stands between the listener and Fastify: hands raw prefixes to their handlers, counts what runs, and tells
 * clients to go elsewhere while the process drains.
 */
export class RequestGate {
  private readonly raw: { prefix: string; handler: RawHandler }[] = [];
  private readonly idle = new Set<() => void>();
  private fastify: RequestListener | undefined;
  private running = 0;
  private draining = false;

  constructor(private readonly log: Logger) {}

  mount(prefix: string, handler: RawHandler): void {
    if (!/^\/[A-Za-z0-9/._-]*[A-Za-z0-9_-]$/.test(prefix)) throw new Error(`not a path prefix: ${prefix}`);
    this.raw.push({ prefix, handler });
  }

  /** What raw handlers stand at. */
  get prefixes(): readonly string[] {
    return this.raw.map(({ prefix }) => prefix);
  }

  /** Opens the rest of the paths; until then they answer 503. */
  openTo(fastify: RequestListener): void {
    this.fastify = fastify;
  }

  startDraining(): void {
    this.draining = true;
  }

  readonly onRequest: RequestListener = (request, response) => {
    this.running += 1;
    response.once('close', () => {
      this.running -= 1;
      if (this.running === 0) for (const resolve of this.idle) resolve();
    });
    if (this.draining) response.setHeader('connection', 'close');
    try {
      this.route(request, response);
    } catch (error) {
      this.log.error({ err: error }, 'a raw handler threw');
      if (response.headersSent) response.destroy();
      else answerJson(response, 500, { error: { code: 'WDR_INTERNAL', message: 'internal error' } });
    }
  };

  /** Resolves true once no request runs, false after `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<boolean> {
    if (this.running === 0) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish(false), timeoutMs);
      const onIdle = () => finish(true);
      const finish = (isIdle: boolean) => {
        clearTimeout(timer);
        this.idle.delete(onIdle);
        resolve(isIdle);
      };
      this.idle.add(onIdle);
    });
  }

  private route(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/';
    for (const { prefix, handler } of this.raw) {
      if (url.startsWith(prefix) && isSegmentEnd(url[prefix.length])) return handler(request, response);
    }
    if (this.fastify !== undefined) return this.fastify(request, response);
    response.setHeader('retry-after', '1');
    answerJson(response, 503, { error: { code: 'WDR_NOT_READY', message: 'starting' } });
  }
}

/** Answers a small JSON body and ends. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(bytes);
}

// /mcp is not /mcpx: a prefix ends at a slash, a query or the end.
function isSegmentEnd(character: string | undefined): boolean {
  return character === undefined || character === '/' || character === '?';
}
