import type { OriginPool } from '@warder/egress';
import { type ExchangeBounds, HttpExchange } from './http-exchange.js';
import { type HttpSession, methodHeaders } from './http-session.js';
import { withSignature } from './request-credential.js';
import { requestText } from './request-text.js';
import { UpstreamFailure } from './upstream-failure.js';

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
// A 32-bit timer's longest, 24 days: the stream has no end of its own.
const FOREVER_MS = 0;

/**
 * One long stream per upstream on which it announces changes of its tools: `subscriptions/listen` (modern) or the
 * session's GET stream (legacy). A stream that ended may have missed an announcement, so its return is told as one.
 */
export class ChangeStream {
  private session: HttpSession | undefined;
  private controller: AbortController | undefined;
  private timer: NodeJS.Timeout | undefined;
  private retryMs = RETRY_MIN_MS;

  constructor(
    private readonly pool: OriginPool,
    private readonly path: string,
    private readonly bounds: ExchangeBounds,
    private readonly onChange: () => void,
  ) {}

  /** Listens under this session, unless it listens under another already: one stream serves all credentials. */
  follow(session: HttpSession): void {
    if (this.session !== undefined) return;
    this.session = session;
    this.retryMs = RETRY_MIN_MS;
    this.listen(session, false);
  }

  /** The upstream does not know this session any more; the next one is followed. */
  leave(session: HttpSession): void {
    if (this.session === session) this.close();
  }

  close(): void {
    this.session = undefined;
    clearTimeout(this.timer);
    this.controller?.abort();
  }

  private listen(session: HttpSession, isReturn: boolean): void {
    const controller = new AbortController();
    this.controller = controller;
    const isModern = session.era === 'modern';
    const exchange = new HttpExchange(
      { id: undefined, timeoutMs: FOREVER_MS, signal: controller.signal, onMessage: (message) => this.hear(message) },
      this.bounds,
    );
    const params = { notifications: { toolsListChanged: true } };
    const request = isModern
      ? { method: 'POST' as const, body: requestText('changes', 'subscriptions/listen', params, true) }
      : { method: 'GET' as const };
    const headers = isModern ? session.headers : getHeaders(session);
    const own = methodHeaders(session, 'subscriptions/listen');
    const ownHeaders = withSignature(session.sign, { headers, ownHeaders: own, body: '', ...request });
    this.pool.dispatch({ path: this.path, headers, ownHeaders, ...request }, exchange);
    if (isReturn) this.onChange();
    exchange.answered.then(
      ({ status }) => {
        if (status === 200) this.again(session);
        // A server without such a stream says so once (405); after anything else the next session may fare better.
        else if (status !== 405) this.leave(session);
      },
      (error: unknown) => {
        if (error instanceof UpstreamFailure && error.reason === 'unreachable') this.again(session);
      },
    );
  }

  private hear(message: Record<string, unknown>): void {
    this.retryMs = RETRY_MIN_MS;
    if (message['method'] === 'notifications/tools/list_changed') this.onChange();
  }

  private again(session: HttpSession): void {
    if (this.session !== session) return;
    this.timer = setTimeout(() => this.listen(session, true), this.retryMs).unref();
    this.retryMs = Math.min(RETRY_MAX_MS, this.retryMs * 2);
  }
}

function getHeaders(session: HttpSession): string[] {
  const list: string[] = [];
  for (let i = 0; i + 1 < session.headers.length; i += 2) {
    const [name, value] = [session.headers[i] ?? '', session.headers[i + 1] ?? ''];
    if (name !== 'content-type') list.push(name, name === 'accept' ? 'text/event-stream' : value);
  }
  return list;
}
