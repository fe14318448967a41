import type { ExchangeHandler, ResponseHead } from '@warder/egress';
import { isObject, JsonError, parseJson, SseDecoder, SseOverflow } from '@warder/mcp-wire';
import type { CallSignal } from './upstream.js';
import { type FailureReason, UpstreamFailure } from './upstream-failure.js';

/** What a POST was answered with. `message` is the JSON-RPC answer, if there was one. */
export interface HttpAnswer {
  readonly status: number;
  readonly sessionId: string | undefined;
  readonly message: Record<string, unknown> | undefined;
}

export interface ExchangeBounds {
  readonly answerBytesMax: number;
  readonly depthMax: number;
  readonly interimMessagesMax: number;
}

/** What one exchange is about. */
export interface ExchangeTask {
  /** Id of the request; an event with it ends the exchange. Undefined for notifications and for streams without end. */
  readonly id: number | string | undefined;
  readonly timeoutMs: number;
  readonly signal: CallSignal | undefined;
  /** Hears every message on the stream that is not the answer: notifications and requests of the server. */
  readonly onMessage: ((message: Record<string, unknown>) => void) | undefined;
  /** Hears once that the upstream must be told, for the request left and its caller no longer waits. */
  readonly onGivenUp?: () => void;
}

// How long an upstream may keep an event stream open behind its answer before the connection is given up.
const TRAILING_MS = 500;

const CODE_REASONS: ReadonlyMap<string, FailureReason> = new Map([
  ['WDR_ADDRESS_REFUSED', 'address-refused'],
  ['EGRESS_POOL_CLOSED', 'cancelled'],
  ['EGRESS_MALFORMED', 'protocol'],
]);

/** One HTTP exchange: what comes back over a connection, as one answer of a JSON-RPC message or a failure. */
export class HttpExchange implements ExchangeHandler {
  readonly answered: Promise<HttpAnswer>;
  private resolve!: (answer: HttpAnswer) => void;
  private reject!: (failure: UpstreamFailure) => void;
  private isSettled = false;
  private isSent = false;
  private abortRequest: (() => void) | undefined;
  private status = 0;
  private sessionId: string | undefined;
  private sse: SseDecoder | undefined;
  private bodyBytes: number | undefined;
  private text: string | undefined;
  private chunks: Buffer[] | undefined;
  private bytes = 0;
  private interimMessages = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly task: ExchangeTask,
    private readonly bounds: ExchangeBounds,
    /** Hears how it ended, before anybody who waits for the answer. */
    private readonly onEnded?: (failure: UpstreamFailure | undefined) => void,
  ) {
    this.answered = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    if (task.timeoutMs > 0) this.timer = setTimeout(this.onDeadline, task.timeoutMs);
    task.signal?.addEventListener('abort', this.onCancel);
    if (task.signal?.aborted === true) this.onCancel();
  }

  onSend(abort: () => void): boolean {
    // Given up while it waited for a connection: nothing of it is sent.
    if (this.isSettled) return false;
    this.abortRequest = abort;
    this.isSent = true;
    return true;
  }

  onHead({ status, fields, bodyBytes }: ResponseHead): void {
    this.status = status;
    this.bodyBytes = bodyBytes;
    for (let i = 0; i + 1 < fields.length; i += 2) this.readHeader(fields[i] as string, fields[i + 1] as string);
  }

  onBody(bytes: Buffer): void {
    if (this.isSettled) return;
    if (this.sse !== undefined) return this.pushEvents(this.sse, bytes);
    this.bytes += bytes.length;
    if (this.bytes > this.bounds.answerBytesMax) return this.giveUp('too-large', 'the answer is too long');
    // An answer that came whole is read where it lies; a part of one must be copied, for the next overwrites it.
    if (bytes.length === this.bodyBytes) this.text = bytes.toString('utf8');
    else (this.chunks ??= []).push(Buffer.from(bytes));
  }

  onEnd(): void {
    if (this.isSettled) return clearTimeout(this.timer);
    if (this.sse !== undefined && this.task.id !== undefined && this.status < 300) {
      return this.giveUp('protocol', 'the event stream ended without an answer');
    }
    this.settle(this.sse === undefined ? this.readBody() : undefined);
  }

  onFault(error: Error): void {
    if (this.isSettled) return clearTimeout(this.timer);
    const reason = CODE_REASONS.get((error as NodeJS.ErrnoException).code ?? '') ?? 'unreachable';
    this.giveUp(reason, error.message);
  }

  private readHeader(key: string, text: string): void {
    if (key === 'mcp-session-id') this.sessionId = text;
    else if (key === 'content-type' && /^text\/event-stream(?:$|[\s;])/i.test(text)) {
      this.sse = new SseDecoder(this.bounds.answerBytesMax, (event) => this.onEvent(event.data));
    } else if (key === 'content-encoding' && text.toLowerCase() !== 'identity') {
      // What cannot be read cannot be screened; "identity" was asked for.
      this.giveUp('protocol', 'the answer has a content-encoding');
    }
  }

  private pushEvents(sse: SseDecoder, chunk: Buffer): void {
    try {
      sse.push(chunk);
    } catch (error) {
      if (!(error instanceof SseOverflow)) throw error;
      this.giveUp('too-large', 'an event of the answer is too long');
    }
  }

  private onEvent(data: string): void {
    if (this.isSettled || data === '') return;
    const message = this.parse(data);
    if (message === undefined) return;
    if (!('method' in message) && this.task.id !== undefined && message['id'] === this.task.id) {
      return this.settle(message);
    }
    this.interimMessages += 1;
    if (this.interimMessages > this.bounds.interimMessagesMax && this.task.id !== undefined) {
      return this.giveUp('too-large', 'too many messages before the answer');
    }
    if ('method' in message) this.task.onMessage?.(message);
  }

  private readBody(): Record<string, unknown> | undefined {
    const text = this.text ?? (this.chunks && Buffer.concat(this.chunks).toString('utf8'));
    if (text === undefined) return undefined;
    // An error page need not be JSON: its status says enough.
    const message = this.parse(text, this.status >= 300);
    // An answer to another request, were it taken, could show one principal what belongs to another.
    if (message === undefined || !('result' in message) || message['id'] === this.task.id) return message;
    this.giveUp('protocol', 'the answer is not for this request');
    return undefined;
  }

  private parse(text: string, mayFail = false): Record<string, unknown> | undefined {
    try {
      const value = parseJson(text, this.bounds.depthMax);
      if (isObject(value)) return value;
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
    }
    if (!mayFail) this.giveUp('protocol', 'the answer is not a JSON-RPC message');
    return undefined;
  }

  private settle(message: Record<string, unknown> | undefined): void {
    if (this.isSettled) return;
    this.end();
    if (this.sse !== undefined) this.timer = setTimeout(() => this.abortRequest?.(), TRAILING_MS).unref();
    this.onEnded?.(undefined);
    this.resolve({ status: this.status, sessionId: this.sessionId, message });
  }

  private readonly onDeadline = () => this.giveUp('timeout', `no answer within ${this.task.timeoutMs} ms`, true);
  private readonly onCancel = () => this.giveUp('cancelled', 'the call was cancelled', true);

  private giveUp(reason: FailureReason, message: string, mustTell = false): void {
    if (this.isSettled) return;
    this.end();
    const status = this.status === 0 ? undefined : this.status;
    const failure = new UpstreamFailure(reason, message, this.isSent, status);
    this.onEnded?.(failure);
    this.reject(failure);
    if (mustTell && this.isSent) this.task.onGivenUp?.();
    this.abortRequest?.();
  }

  private end(): void {
    this.isSettled = true;
    clearTimeout(this.timer);
    this.task.signal?.removeEventListener('abort', this.onCancel);
  }
}
