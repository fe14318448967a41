import type { ServerResponse } from 'node:http';
import {
  encodeAcknowledged,
  encodeSseId,
  encodeSseMessage,
  encodeToolsChanged,
  SSE_KEEP_ALIVE,
} from '@warder/mcp-wire';
import type { ChangeStream } from '../pipeline/gateway.js';
import type { Refusal } from '../pipeline/refusal.js';
import { STREAM_HEADERS } from './answer-stream.js';

/** Bytes that may wait for the client: some messages of such a stream. Who reads less is not waited for. */
const WAITING_BYTES_MAX = 16_384;
/** Milliseconds in which the client takes what ends its stream, or the connection is cut. */
const END_GRACE_MS = 500;
/** Of an event id, the part that names the list. */
const EVENT_ID = /^([\w-]{22})\./;

/** What the stream is to its client. */
export type Listener =
  | {
      readonly era: 'modern';
      /** Of the request that subscribed, as JSON text. */
      readonly idJson: string;
      /** Whether it asked for changes of the tools, the one thing that changes here. */
      readonly isOfTools: boolean;
      /** The message that ends the stream. */
      readonly lastMessage: (reason: Refusal | undefined) => string;
    }
  | {
      readonly era: 'legacy';
      /** Makes the ids of its events unlike those of any other stream. */
      readonly streamId: string;
      readonly lastEventId: string | undefined;
      /** Whether the client knows events without a message. */
      readonly isPrimed: boolean;
      /** When the session is over, wall milliseconds. */
      readonly endsAtMs: number;
    };

/**
 * A stream of changes on its HTTP response: the answer to a modern `subscriptions/listen`, or to the GET of a legacy
 * session. Events of the latter have ids that name the list of which the client knows from then on; so one that comes
 * back with `Last-Event-ID`, to whichever node, is told what it missed: that there is another list, or nothing.
 */
export class SubscriptionStream implements ChangeStream {
  isOpen = false;
  readonly knownDigest: string | undefined;
  readonly endsAtMs: number;
  private events = 0;
  private isWaiting = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly listener: Listener,
    /** The client does not read. */
    private readonly onTooSlow: () => void,
  ) {
    const isLegacy = listener.era === 'legacy';
    this.knownDigest = isLegacy ? EVENT_ID.exec(listener.lastEventId ?? '')?.[1] : undefined;
    this.endsAtMs = isLegacy ? listener.endsAtMs : Infinity;
  }

  open(digest: string): void {
    const { response, listener } = this;
    if (response.destroyed) return;
    this.isOpen = true;
    response.writeHead(200, STREAM_HEADERS);
    if (listener.era === 'modern')
      this.write(encodeSseMessage(encodeAcknowledged(listener.idJson, listener.isOfTools)));
    else if (listener.isPrimed && digest !== '') this.write(encodeSseId(this.eventId(digest, listener.streamId)));
    else this.write(SSE_KEEP_ALIVE);
  }

  changed(digest: string): boolean {
    const { listener } = this;
    if (listener.era === 'legacy') {
      this.write(encodeSseMessage(encodeToolsChanged(), this.eventId(digest, listener.streamId)));
    } else if (listener.isOfTools) this.write(encodeSseMessage(encodeToolsChanged(listener.idJson)));
    return listener.era === 'legacy' || listener.isOfTools;
  }

  /** Keeps proxies from giving up on a silent stream, and finds the client that has stopped to read. */
  keepAlive(): void {
    if (!this.isOpen) return;
    if (this.isWaiting && this.response.writableLength > 0) return this.onTooSlow();
    this.write(SSE_KEEP_ALIVE);
    this.isWaiting = this.response.writableLength > 0;
  }

  end(reason: Refusal | undefined): void {
    const { response, listener } = this;
    if (!this.isOpen || response.destroyed || response.writableEnded) return;
    if (reason?.code === 'WDR_CLIENT_TOO_SLOW') {
      response.destroy();
      return;
    }
    if (listener.era === 'modern') response.end(encodeSseMessage(listener.lastMessage(reason)));
    else response.end();
    const cut = setTimeout(() => response.destroy(), END_GRACE_MS).unref();
    response.once('close', () => clearTimeout(cut));
  }

  private eventId(digest: string, streamId: string): string {
    this.events += 1;
    return `${digest}.${streamId}.${this.events}`;
  }

  private write(text: string): void {
    const { response } = this;
    if (response.destroyed || response.writableEnded) return;
    response.write(text);
    if (response.writableLength > WAITING_BYTES_MAX) this.onTooSlow();
  }
}
