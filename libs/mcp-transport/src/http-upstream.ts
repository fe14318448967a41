import type { ToolDefinition, UpstreamCredential } from '@warder/contracts';
import type { OriginPool } from '@warder/egress';
import { isObject } from '@warder/mcp-wire';
import { Breaker } from './breaker.js';
import { ChangeStream } from './change-stream.js';
import { type HttpAnswer, HttpExchange, type ExchangeTask } from './http-exchange.js';
import { openSession, refuseStatus } from './http-handshake.js';
import { type HttpSession, methodHeaders, NONE } from './http-session.js';
import { MirroredParams } from './mirrored-params.js';
import { ListChanges } from './list-changes.js';
import { isForgotten, isHeaderRefusal } from './refused-unread.js';
import { type RequestCredential, RequestCredentials, withSignature } from './request-credential.js';
import { callText, cancelText, declineText, requestText } from './request-text.js';
import { collectTools } from './tool-pages.js';
import { readAnswer } from './upstream-answer.js';
import { UpstreamFailure } from './upstream-failure.js';
import type { CallSignal, Upstream, UpstreamAnswer, UpstreamBounds, UpstreamCall } from './upstream.js';
import { withinDeadline } from './within-deadline.js';

// A server may have been upgraded since it was found to be legacy, and would serve us as a legacy one for ever.
const LEGACY_VERDICT_MS = 600_000;

/** What an HTTP upstream is made of. */
export interface HttpUpstreamParts {
  readonly name: string;
  readonly url: URL;
  readonly pool: OriginPool;
  readonly bounds: UpstreamBounds;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Wall milliseconds, which signatures name. */
  readonly wallMs: () => number;
  /** Whether sessions of calls are listened on for changes of the tools; else those alone that have listed them. */
  readonly followsCalls: boolean;
}

/** An MCP server behind streamable HTTP, of either era. One call is one `dispatch`. */
export class HttpUpstream implements Upstream {
  readonly name: string;
  private readonly path: string;
  private readonly sessions = new Map<string, HttpSession>();
  private readonly opening = new Map<string, Promise<HttpSession>>();
  private readonly breaker: Breaker;
  private readonly mirrored = new MirroredParams();
  private readonly changes = new ListChanges();
  private readonly changeStream: ChangeStream;
  private readonly credentials: RequestCredentials;
  private isFollowing: boolean;
  private legacySinceMs: number | undefined;
  private requestId = 0;
  /** Grows with each change of the credential: what was opened under an earlier one is not kept. */
  private epoch = 0;
  private isClosed = false;

  constructor(private readonly parts: HttpUpstreamParts) {
    this.name = parts.name;
    this.path = parts.url.pathname + parts.url.search;
    this.credentials = new RequestCredentials({ host: parts.url.host, path: this.path, wallMs: parts.wallMs });
    this.isFollowing = parts.followsCalls;
    this.breaker = new Breaker(parts.bounds.breakerFailures, parts.bounds.breakerOpenMs);
    this.changeStream = new ChangeStream(parts.pool, this.path, parts.bounds, () => this.changes.tell());
  }

  call(call: UpstreamCall): Promise<UpstreamAnswer> {
    const refusal = this.refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    // One deadline for all that the call takes: a session, and the same call once more where it was refused unread.
    const endsAtMs = this.parts.nowMs() + call.timeoutMs;
    const session = this.sessions.get(this.credentials.of(call.credential).key);
    if (session === undefined) return this.callAnew(call, endsAtMs);
    // The way that nearly all calls go, without a frame of an async function: each cost them a microsecond.
    return this.callOnce(session, call, call.timeoutMs).then((answer) =>
      answer.status < 300 ? this.read(answer) : this.callAnew(call, endsAtMs, session, answer),
    );
  }

  /** Opens the session first, or asks again where the first attempt was refused unread. */
  private async callAnew(
    call: UpstreamCall,
    endsAtMs: number,
    known?: HttpSession,
    refused?: HttpAnswer,
  ): Promise<UpstreamAnswer> {
    const key = this.credentials.of(call.credential).key;
    const session =
      known ?? (await withinDeadline(this.open(this.credentials.of(call.credential)), call.timeoutMs, call.signal));
    const answer = refused ?? (await this.callOnce(session, call, this.leftMs(endsAtMs)));
    if (isHeaderRefusal(answer) && !this.mirrored.isLearned && (await this.learn(call, this.leftMs(endsAtMs)))) {
      return this.read(await this.callOnce(session, call, this.leftMs(endsAtMs)));
    }
    if (!isForgotten(session, answer)) return this.read(answer);
    // The upstream refused the call unread, for it does not know the session (or our era) any more.
    this.forget(key, session);
    const renewed = await withinDeadline(
      this.open(this.credentials.of(call.credential)),
      this.leftMs(endsAtMs),
      call.signal,
    );
    // Still modern: then it understood the call, and its refusal stands. Whether it acted before it refused, nobody knows.
    if (session.era === 'modern' && renewed.era === 'modern') return this.read(answer);
    return this.read(await this.callOnce(renewed, call, this.leftMs(endsAtMs)));
  }

  async discover(signal?: CallSignal, credential?: UpstreamCredential): Promise<ToolDefinition[]> {
    const refusal = this.refusal();
    if (refusal !== undefined) throw refusal;
    const carried = this.credentials.of(credential);
    const { key } = carried;
    const { epoch } = this;
    this.isFollowing = true;
    const ask = async (params: Readonly<Record<string, unknown>>): Promise<UpstreamAnswer> => {
      for (let attempt = 0; ; attempt += 1) {
        const session = this.sessions.get(key) ?? (await this.open(carried));
        // A page that is asked for later must not open anew what was ended with its credential.
        if (epoch !== this.epoch) throw new UpstreamFailure('cancelled', 'the credential changed', false);
        const id = this.nextId();
        const text = requestText(id, 'tools/list', params, session.era === 'modern');
        const task = this.task(id, session, this.parts.bounds.handshakeTimeoutMs, signal);
        const answer = await this.send(session, methodHeaders(session, 'tools/list'), text, task);
        if (attempt > 0 || !isForgotten(session, answer)) return this.read(answer);
        this.forget(key, session);
      }
    };
    const { tools, ttlMs } = await collectTools(ask, this.parts.bounds);
    this.changes.expireIn(ttlMs);
    const session = this.sessions.get(key);
    if (session?.announcesChanges === true && !this.parts.followsCalls) this.changeStream.follow(session);
    return session?.era === 'modern' ? this.mirrored.learn(tools) : tools;
  }

  onListChanged(listener: () => void): () => void {
    return this.changes.listen(listener);
  }

  forgetCredentials(): void {
    this.epoch += 1;
    this.sessions.clear();
    this.changeStream.close();
    this.isFollowing = this.parts.followsCalls;
    this.credentials.forget();
  }

  /** Connections are everybody's here; the session that carried it is forgotten, and so is the stream of changes under it. */
  endCredential(credential: UpstreamCredential): void {
    const { key } = this.credentials.of(credential);
    const session = this.sessions.get(key);
    this.credentials.forget();
    this.sessions.delete(key);
    if (session !== undefined) this.changeStream.leave(session);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.changes.close();
    this.changeStream.close();
    this.parts.pool.destroy();
  }

  /** Why nothing is sent at all; undefined: it is. */
  private refusal(): UpstreamFailure | undefined {
    if (this.isClosed) return new UpstreamFailure('cancelled', 'the upstream was removed', false);
    if (this.breaker.permits(this.parts.nowMs())) return undefined;
    return new UpstreamFailure('unavailable', 'the upstream could not be reached just now', false);
  }

  /** Another node listed the tools, so this one may not know yet which arguments the headers must repeat. */
  private async learn(call: UpstreamCall, timeoutMs: number): Promise<boolean> {
    try {
      await withinDeadline(this.discover(call.signal, call.credential), timeoutMs, call.signal);
    } catch (error) {
      // Then the refusal stands, and is what the caller hears.
      if (!(error instanceof UpstreamFailure)) throw error;
    }
    return this.mirrored.wants(call.tool);
  }

  private callOnce(session: HttpSession, call: UpstreamCall, timeoutMs: number): Promise<HttpAnswer> {
    const id = this.nextId();
    const task = this.task(id, session, timeoutMs, call.signal, call.onInterim);
    const body = callText(id, call, session.era === 'modern');
    const own = methodHeaders(session, 'tools/call', call.tool, this.mirrored.headersOf(call));
    return this.send(session, own, body, task);
  }

  private task(
    id: number,
    session: HttpSession,
    timeoutMs: number,
    signal?: CallSignal,
    onInterim?: UpstreamCall['onInterim'],
  ): ExchangeTask {
    return {
      id,
      timeoutMs,
      signal,
      onMessage: (message) => this.onMessage(session, message, id, onInterim),
      // To a modern server the closed stream is the cancellation, a legacy one must be told.
      ...(session.era === 'legacy' ? { onGivenUp: () => this.tell(session, cancelText(id)) } : {}),
    };
  }

  private send(
    { headers, sign }: Pick<HttpSession, 'headers' | 'sign'>,
    own: readonly string[],
    body: string,
    task: ExchangeTask,
  ): Promise<HttpAnswer> {
    const ownHeaders = withSignature(sign, { method: 'POST', headers, ownHeaders: own, body });
    const exchange = new HttpExchange(task, this.parts.bounds, this.reached);
    this.parts.pool.dispatch({ path: this.path, method: 'POST', headers, ownHeaders, body }, exchange);
    return exchange.answered;
  }

  private readonly reached = (failure: UpstreamFailure | undefined): void => {
    if (failure === undefined) this.breaker.succeeded();
    else if (failure.reason === 'unreachable') this.breaker.failed(this.parts.nowMs());
  };

  private read(answer: HttpAnswer): UpstreamAnswer {
    if (answer.message !== undefined && (answer.status < 300 || 'error' in answer.message)) {
      if (answer.status !== 401 && answer.status !== 403) return readAnswer(answer.message);
    }
    refuseStatus(answer.status);
    throw new UpstreamFailure('protocol', `the upstream answered HTTP ${answer.status}`, true, answer.status);
  }

  private onMessage(
    session: HttpSession,
    message: Record<string, unknown>,
    token: number,
    onInterim: UpstreamCall['onInterim'],
  ): void {
    const { id, method } = message;
    const params = isObject(message['params']) ? message['params'] : {};
    if (id !== undefined) return this.tell(session, declineText(id, method));
    if (method === 'notifications/tools/list_changed') return this.changes.tell();
    if (method === 'notifications/progress') {
      const { progressToken, ...rest } = params;
      // A token that is not this call's speaks of another call, perhaps another principal's.
      if (progressToken === token) onInterim?.({ method, params: rest });
    } else if (method === 'notifications/message') onInterim?.({ method, params });
  }

  /** Posts what needs no answer; that it does not arrive changes nothing for us. */
  private tell(session: HttpSession, text: string): void {
    if (session.era === 'modern' || this.isClosed) return;
    const task = { id: undefined, timeoutMs: 2_000, signal: undefined, onMessage: undefined };
    this.send(session, NONE, text, task).catch(() => undefined);
  }

  private open(carried: RequestCredential): Promise<HttpSession> {
    const { key } = carried;
    const running = this.opening.get(key);
    if (running !== undefined) return running;
    const opening = this.handshake(carried).finally(() => this.opening.delete(key));
    this.opening.set(key, opening);
    return opening;
  }

  private async handshake(carried: RequestCredential): Promise<HttpSession> {
    const { bounds, nowMs } = this.parts;
    const { epoch } = this;
    const knownLegacy = this.legacySinceMs !== undefined && nowMs() - this.legacySinceMs < LEGACY_VERDICT_MS;
    const post = (list: readonly string[], body: string, id: number | undefined) =>
      this.send({ headers: list, sign: carried.sign }, NONE, body, {
        id,
        timeoutMs: bounds.handshakeTimeoutMs,
        signal: undefined,
        onMessage: undefined,
      });
    const session = await openSession(post, carried, knownLegacy);
    if (session.era === 'modern') this.legacySinceMs = undefined;
    else if (!knownLegacy) this.legacySinceMs = nowMs();
    if (epoch !== this.epoch) return session;
    const [oldest] = this.sessions.keys();
    if (this.sessions.size >= bounds.sessionsMax && oldest !== undefined) this.sessions.delete(oldest);
    this.sessions.set(carried.key, session);
    if (session.announcesChanges && this.isFollowing) this.changeStream.follow(session);
    return session;
  }

  private forget(key: string, session: HttpSession): void {
    // Another call may have renewed it already.
    if (this.sessions.get(key) === session) this.sessions.delete(key);
    this.changeStream.leave(session);
    // Whatever forgot us may be another server by now, of another era.
    this.legacySinceMs = undefined;
  }

  private leftMs(endsAtMs: number): number {
    return Math.max(1, endsAtMs - this.parts.nowMs());
  }

  private nextId(): number {
    this.requestId = this.requestId >= Number.MAX_SAFE_INTEGER ? 1 : this.requestId + 1;
    return this.requestId;
  }
}
