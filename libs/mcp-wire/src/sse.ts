/** One server-sent event; `data` lines are joined by line feeds. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** A comment that keeps idle proxies from closing a stream. */
export const SSE_KEEP_ALIVE = ': keep-alive\n\n';

/**
 * One JSON-RPC message as an event. JSON text holds no line break, so it is one data line.
 * @param id - what a client that comes back names as the last that it saw; no line break in it
 */
export function encodeSseMessage(json: string, id?: string): string {
  return id === undefined ? `event: message\ndata: ${json}\n\n` : `event: message\nid: ${id}\ndata: ${json}\n\n`;
}

/** An event that says nothing but where the stream begins. @see MCP 2025-11-25, streamable HTTP, SEP-1699 */
export function encodeSseId(id: string): string {
  return `id: ${id}\ndata: \n\n`;
}

/** An event (or what may still become one) is longer than the decoder's bound. */
export class SseOverflow extends Error {
  override readonly name = 'SseOverflow';
}

/**
 * Decodes an event stream that arrives in any pieces: events, lines, CRLF and UTF-8 sequences may be cut anywhere.
 * @see WHATWG HTML, section 9.2.6
 */
export class SseDecoder {
  private readonly utf8 = new TextDecoder('utf-8');
  private pending = '';
  private data: string[] = [];
  private dataChars = 0;
  private event = '';
  private id: string | undefined;
  private skipLineFeed = false;

  /** @param eventCharsMax - longest event, in UTF-16 units */
  constructor(
    private readonly eventCharsMax: number,
    private readonly onEvent: (event: SseEvent) => void,
  ) {}

  /** @throws SseOverflow */
  push(chunk: Uint8Array): void {
    let text = this.utf8.decode(chunk, { stream: true });
    if (this.skipLineFeed && text.length > 0) {
      this.skipLineFeed = false;
      if (text.charCodeAt(0) === 10) text = text.slice(1);
    }
    let from = 0;
    let carriage = text.indexOf('\r');
    for (;;) {
      if (carriage !== -1 && carriage < from) carriage = text.indexOf('\r', from);
      const feed = text.indexOf('\n', from);
      const end = carriage !== -1 && (feed === -1 || carriage < feed) ? carriage : feed;
      if (end === -1) break;
      const line = this.pending + text.slice(from, end);
      this.pending = '';
      from = end + 1;
      if (text.charCodeAt(end) === 13) {
        if (from === text.length) this.skipLineFeed = true;
        else if (text.charCodeAt(from) === 10) from += 1;
      }
      this.line(line);
    }
    this.pending += from === 0 ? text : text.slice(from);
    if (this.pending.length + this.dataChars > this.eventCharsMax) throw new SseOverflow('an event is too long');
  }

  private line(line: string): void {
    if (line === '') return this.dispatch();
    if (line.charCodeAt(0) === 58) return;
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const start = line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1;
    const value = colon === -1 ? '' : line.slice(start);
    if (field === 'data') {
      this.dataChars += value.length + 1;
      if (this.dataChars > this.eventCharsMax) throw new SseOverflow('an event is too long');
      this.data.push(value);
    } else if (field === 'event') this.event = value;
    else if (field === 'id' && !value.includes('\0')) this.id = value;
  }

  private dispatch(): void {
    const { data, event } = this;
    this.data = [];
    this.dataChars = 0;
    this.event = '';
    if (data.length === 0) return;
    this.onEvent({ event: event === '' ? 'message' : event, data: data.join('\n'), id: this.id });
  }
}
