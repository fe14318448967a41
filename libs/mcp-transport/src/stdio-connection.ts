import {
  ErrorCode,
  isObject,
  JsonError,
  LEGACY_LATEST,
  LEGACY_VERSIONS,
  MODERN_LATEST,
  parseJson,
} from '@warder/mcp-wire';
import type { Logger } from '@warder/telemetry';
import { cancelText, CLIENT_INFO, requestText } from './request-text.js';
import { StdioChild } from './stdio-child.js';
import type { StdioEntry } from './stdio-entry.js';
import { readAnswer } from './upstream-answer.js';
import { UpstreamFailure } from './upstream-failure.js';
import type { CallSignal, InterimMessage, UpstreamAnswer, UpstreamBounds } from './upstream.js';

/** One request that waits for its line. */
interface Waiting {
  readonly resolve: (answer: UpstreamAnswer) => void;
  readonly fail: (failure: UpstreamFailure) => void;
  readonly onInterim: ((message: InterimMessage) => void) | undefined;
  interimMessages: number;
}

/** How a request is waited for. */
export interface Wait {
  readonly timeoutMs: number;
  readonly signal?: CallSignal | undefined;
  readonly onInterim?: ((message: InterimMessage) => void) | undefined;
}

/** What the owner of a connection hears. */
export interface ConnectionListener {
  onListChanged(): void;
  onExit(reason: string): void;
}

/** JSON-RPC with one running child: requests by id, progress by token, the server's own requests declined. */
export class StdioConnection {
  private readonly child: StdioChild;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;
  private exitReason: string | undefined;
  isModern = false;

  constructor(
    entry: StdioEntry,
    private readonly bounds: UpstreamBounds,
    private readonly listener: ConnectionListener,
    log: Logger,
  ) {
    this.child = new StdioChild(entry, bounds, this, log);
  }

  get isOpen(): boolean {
    return this.exitReason === undefined;
  }

  /** Sends a request; `text` writes it with the id that it is given. @throws UpstreamFailure */
  request(text: (id: number) => string, wait: Wait): Promise<UpstreamAnswer> {
    if (this.exitReason !== undefined) throw new UpstreamFailure('unreachable', this.exitReason, false);
    if (this.waiting.size >= this.bounds.concurrencyMax) {
      throw new UpstreamFailure('unavailable', 'too many calls of this upstream run already', false);
    }
    if (wait.signal?.aborted === true) throw new UpstreamFailure('cancelled', 'the call was cancelled', false);
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const end = () => {
        this.waiting.delete(id);
        clearTimeout(timer);
        wait.signal?.removeEventListener('abort', onAbort);
      };
      const giveUp = (failure: UpstreamFailure) => {
        end();
        this.child.write(cancelText(id));
        reject(failure);
      };
      const onAbort = () => giveUp(new UpstreamFailure('cancelled', 'the call was cancelled', true));
      const timer = setTimeout(
        () => giveUp(new UpstreamFailure('timeout', `no answer within ${wait.timeoutMs} ms`, true)),
        wait.timeoutMs,
      );
      wait.signal?.addEventListener('abort', onAbort);
      this.waiting.set(id, {
        resolve: (answer) => (end(), resolve(answer)),
        fail: (failure) => (end(), reject(failure)),
        onInterim: wait.onInterim,
        interimMessages: 0,
      });
      if (!this.child.write(text(id))) {
        this.waiting.get(id)?.fail(new UpstreamFailure('unreachable', 'the child does not read its input', false));
      }
    });
  }

  notify(text: string): void {
    this.child.write(text);
  }

  /** Asks for the era. False if the child must be asked as a legacy one (it may have exited over the question). */
  async probe(): Promise<boolean> {
    try {
      const answer = await this.request((id) => requestText(id, 'server/discover', {}, true), {
        timeoutMs: this.bounds.probeTimeoutMs,
      });
      const versions = 'result' in answer ? answer.result['supportedVersions'] : undefined;
      this.isModern = Array.isArray(versions) && versions.includes(MODERN_LATEST);
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
    }
    return this.isModern;
  }

  /** The legacy handshake. @throws UpstreamFailure */
  async initialize(): Promise<void> {
    const params = { protocolVersion: LEGACY_LATEST, capabilities: {}, clientInfo: CLIENT_INFO };
    const wait = { timeoutMs: this.bounds.handshakeTimeoutMs };
    const answer = await this.request((id) => requestText(id, 'initialize', params, false), wait);
    const version = 'result' in answer ? answer.result['protocolVersion'] : undefined;
    if (typeof version !== 'string' || !LEGACY_VERSIONS.has(version)) {
      throw new UpstreamFailure('protocol', 'the child speaks no revision of MCP that is known here', false);
    }
    this.notify('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  }

  stop(): Promise<void> {
    return this.child.stop();
  }

  onLine(line: string): void {
    let message: unknown;
    try {
      message = parseJson(line, this.bounds.depthMax);
    } catch (error) {
      // Programs print to stdout what belongs to stderr; a line that is no message is nobody's answer.
      if (error instanceof JsonError) return;
      throw error;
    }
    if (!isObject(message)) return;
    if (typeof message['method'] === 'string') return this.onMessage(message, message['method']);
    const waiting = this.waiting.get(message['id'] as number);
    if (waiting === undefined) return;
    try {
      waiting.resolve(readAnswer(message));
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      waiting.fail(error);
    }
  }

  onExit(reason: string): void {
    this.exitReason = reason;
    const failure = new UpstreamFailure('unreachable', `the child left: ${reason}`, true);
    for (const waiting of this.waiting.values()) waiting.fail(failure);
    this.listener.onExit(reason);
  }

  private onMessage(message: Record<string, unknown>, method: string): void {
    const id = message['id'];
    if (id !== undefined) {
      const outcome =
        method === 'ping' ? { result: {} } : { error: { code: ErrorCode.methodNotFound, message: 'Method not found' } };
      return this.notify(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
    }
    if (method === 'notifications/tools/list_changed') return this.listener.onListChanged();
    if (method !== 'notifications/progress') return;
    const { progressToken, ...params } = isObject(message['params']) ? message['params'] : {};
    // Log messages name no call, and a child serves many principals: only what names its call is passed on.
    const waiting = this.waiting.get(progressToken as number);
    if (waiting === undefined) return;
    waiting.interimMessages += 1;
    if (waiting.interimMessages > this.bounds.interimMessagesMax) {
      waiting.fail(new UpstreamFailure('too-large', 'too many messages before the answer', true));
    } else waiting.onInterim?.({ method, params });
  }
}
