import type { ServerResponse } from 'node:http';
import { encodeSseMessage, SSE_KEEP_ALIVE } from '@warder/mcp-wire';
import type { Downstream } from '../pipeline/gateway.js';
import type { UnreadAnswers } from './unread-answers.js';
import type { WrittenAnswer } from './written-answer.js';

/** Of every event stream. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

/** Bytes of an answer that may wait for a client without being watched; the kernel takes as much at once. */
const UNREAD_BYTES_MAX = 16_384;

export interface AnswerStreamOptions {
  /** Whether the client asked for messages ahead of its answer, or takes nothing but a stream. */
  readonly wantsStream: boolean;
  /** Bytes that may wait for the client. */
  readonly bufferBytesMax: number;
  /** Milliseconds in which the client must take something of an answer that waits for it. */
  readonly readTimeoutMs: number;
  /** Where an answer stands for as long as it waits. */
  readonly unread: UnreadAnswers;
  /** The client reads slower than messages come. */
  readonly onTooSlow: () => void;
}

/**
 * The one answer to a request: plain JSON, or an event stream that opens with the first message ahead of the answer
 * (or the first sign that it takes long), so that a refusal keeps its HTTP status.
 */
export class AnswerStream implements Downstream {
  private isOpen = false;
  private isOver = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly options: AnswerStreamOptions,
  ) {}

  /** Whether it must be told now and then that the answer is still to come. */
  get wantsStream(): boolean {
    return this.options.wantsStream;
  }

  send(messageText: string): void {
    if (this.options.wantsStream) this.write(encodeSseMessage(messageText));
  }

  /** Keeps proxies and clients from giving up on a silent call. */
  keepAlive(): void {
    if (this.options.wantsStream) this.write(SSE_KEEP_ALIVE);
  }

  /** Writes the answer and ends. Nothing happens if the client has gone. */
  finish(answer: WrittenAnswer): void {
    const { response } = this;
    if (this.isOver || response.destroyed) return;
    this.isOver = true;
    if (this.isOpen) {
      response.end(encodeSseMessage(answer.text));
    } else if (this.options.wantsStream && answer.status === 200) {
      response.writeHead(200, { ...STREAM_HEADERS, ...answer.headers });
      response.end(encodeSseMessage(answer.text));
    } else {
      writeJson(response, answer);
    }
    // Nobody waits for this operation any more: what is not read would be held for as long as the connection stands.
    if (response.writableLength > UNREAD_BYTES_MAX) {
      response.setTimeout(this.options.readTimeoutMs, () => response.destroy());
      this.options.unread.add(response);
    }
  }

  private write(text: string): void {
    const { response } = this;
    if (this.isOver || response.destroyed) return;
    if (!this.isOpen) {
      this.isOpen = true;
      response.writeHead(200, STREAM_HEADERS);
    }
    response.write(text);
    if (response.writableLength > this.options.bufferBytesMax) this.options.onTooSlow();
  }
}

/** Writes an answer that is no stream, and ends. */
export function writeJson(response: ServerResponse, answer: WrittenAnswer): void {
  if (answer.text === '') {
    response.writeHead(answer.status, { ...answer.headers, 'content-length': 0 });
    response.end();
    return;
  }
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(answer.text),
    ...answer.headers,
  });
  response.end(answer.text);
}
