/** The head of an answer. */
export interface ResponseHead {
  readonly status: number;
  /** Flat list of names, in lower case, and values without the white space around them. */
  readonly fields: readonly string[];
  /** Bytes that the body will have; undefined where only its end tells. */
  readonly bodyBytes: number | undefined;
}

/** What a parser tells of one answer, in this order. */
export interface ResponseListener {
  onHead(head: ResponseHead): void;
  /** @param bytes - valid during the call only: the next read overwrites them */
  onBody(bytes: Buffer): void;
  onEnd(): void;
}

/** An answer that is not HTTP as it must be: what follows it on the connection can mean anything. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
  readonly code = 'EGRESS_MALFORMED';
}

/** Bytes that all heads of one answer and its trailer may have. */
const HEAD_BYTES_MAX = 16_384;
const CHUNK_LINE_BYTES_MAX = 1_024;
// One pass proves every line: no folded line, no white space before a colon, no bare CR or LF, no NUL.
const HEAD_FORM =
  /^HTTP\/1\.[01] [1-5]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/;
const LENGTH_FORM = /^\d{1,15}$/;
const CHUNK_FORM = /^([0-9A-Fa-f]{1,8})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

type State = 'idle' | 'head' | 'counted' | 'until-close' | 'chunk-line' | 'chunk-data' | 'chunk-end' | 'trailer';

/**
 * Reads the answers of one HTTP/1.1 connection, one for each `expect`. Strict where leniency would let two parsers
 * read two different answers out of the same bytes: lengths that contradict each other, unknown transfer codings, lines
 * that do not end in CRLF, bytes that nobody asked for.
 * @see RFC 9112 sections 2.2, 5, 6.3, 7.1
 */
export class ResponseParser {
  private state: State = 'idle';
  /** Of the body, or of the current chunk. */
  private left = 0;
  private headBytes = 0;
  private pending = '';
  private mayStayOpen = false;

  /** `Keep-Alive: timeout=` of the last answer, seconds. */
  keepAliveSeconds: number | undefined;
  private keepAliveText = '';

  constructor(private readonly listener: ResponseListener) {}

  /** One answer is due. */
  expect(): void {
    this.state = 'head';
    this.headBytes = 0;
    this.mayStayOpen = false;
  }

  /** Whether the connection may carry another request, once the answer has ended. */
  get isReusable(): boolean {
    return this.state === 'idle' && this.mayStayOpen;
  }

  /** Takes what has been received. @throws MalformedResponse */
  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) at = this.take(bytes, at);
  }

  /**
   * The server sends nothing more.
   * @returns whether that ended an answer whose body lasts until the connection is closed
   */
  finish(): boolean {
    if (this.state !== 'until-close') return false;
    this.end();
    return true;
  }

  private take(bytes: Buffer, at: number): number {
    switch (this.state) {
      case 'head':
        return this.takeHead(bytes, at);
      case 'counted':
      case 'chunk-data':
        return this.takeCounted(bytes, at);
      case 'until-close':
        this.listener.onBody(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case 'idle':
        throw new MalformedResponse('bytes that no request asked for');
      default:
        return this.takeLine(bytes, at);
    }
  }

  private takeHead(bytes: Buffer, at: number): number {
    const { pending } = this;
    const text = pending + bytes.toString('latin1', at, Math.min(bytes.length, at + HEAD_BYTES_MAX));
    const end = text.indexOf('\r\n\r\n', Math.max(0, pending.length - 3));
    if (end === -1) {
      this.pending = text;
      if (this.headBytes + text.length >= HEAD_BYTES_MAX) throw new MalformedResponse('the head is too long');
      return bytes.length;
    }
    this.pending = '';
    this.headBytes += end + 4;
    if (this.headBytes > HEAD_BYTES_MAX) throw new MalformedResponse('the head is too long');
    this.readHead(text.slice(0, end));
    return at + end + 4 - pending.length;
  }

  private readHead(text: string): void {
    if (!HEAD_FORM.test(text)) throw new MalformedResponse('the head is not HTTP/1.1');
    const status = Number(text.slice(9, 12));
    if (status === 101) throw new MalformedResponse('a protocol that nobody asked for');
    // An interim head says nothing: the answer's follows, within the same bound.
    if (status < 200) return;
    const fields = fieldsOf(text);
    let length: string | undefined;
    let coding: string | undefined;
    let connection = '';
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = fields[i + 1] as string;
      if (name === 'content-length') {
        if (length !== undefined || !LENGTH_FORM.test(value)) throw new MalformedResponse('content-length');
        length = value;
      } else if (name === 'transfer-encoding') {
        if (coding !== undefined || value.toLowerCase() !== 'chunked') throw new MalformedResponse(name);
        coding = value;
      } else if (name === 'connection') connection += `,${value.toLowerCase()}`;
      else if (name === 'keep-alive') this.readKeepAlive(value);
    }
    if (length !== undefined && coding !== undefined) throw new MalformedResponse('two lengths of one body');
    const mayStayOpen = text.charCodeAt(7) === 49 && !(connection !== '' && /[, \t]close(?:[, \t]|$)/.test(connection));
    this.begin(status, fields, length === undefined ? undefined : Number(length), coding !== undefined, mayStayOpen);
  }

  private begin(
    status: number,
    fields: readonly string[],
    length: number | undefined,
    isChunked: boolean,
    mayStayOpen: boolean,
  ): void {
    const isBodiless = status === 204 || status === 304;
    const bodyBytes = isBodiless ? 0 : length;
    // Whoever announces a body where there can be none will perhaps send one, and it would be the next answer.
    this.mayStayOpen = mayStayOpen && (!isBodiless || (!isChunked && (length ?? 0) === 0));
    const isUntilClose = bodyBytes === undefined && !isChunked;
    if (isUntilClose) this.mayStayOpen = false;
    this.state = isBodiless ? 'counted' : isChunked ? 'chunk-line' : isUntilClose ? 'until-close' : 'counted';
    this.left = bodyBytes ?? 0;
    this.listener.onHead({ status, fields, bodyBytes });
    if (bodyBytes === 0) this.end();
  }

  private readKeepAlive(value: string): void {
    if (value === this.keepAliveText) return;
    this.keepAliveText = value;
    const seconds = /(?:^|[,; \t])timeout=(\d{1,6})(?:$|[,; \t])/i.exec(value)?.[1];
    this.keepAliveSeconds = seconds === undefined ? undefined : Number(seconds);
  }

  private takeCounted(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.left);
    this.left -= end - at;
    this.listener.onBody(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (this.left > 0) return end;
    if (this.state === 'chunk-data') this.state = 'chunk-end';
    else if (this.state === 'counted') this.end();
    return end;
  }

  private takeLine(bytes: Buffer, at: number): number {
    const feed = bytes.indexOf(10, at);
    const end = feed === -1 ? bytes.length : feed + 1;
    this.pending += bytes.toString('latin1', at, end);
    if (this.pending.length > CHUNK_LINE_BYTES_MAX) throw new MalformedResponse('a line between chunks is too long');
    if (feed === -1) return end;
    const line = this.pending;
    this.pending = '';
    if (!line.endsWith('\r\n')) throw new MalformedResponse('a line between chunks does not end in CRLF');
    this.readLine(line.slice(0, -2));
    return end;
  }

  private readLine(line: string): void {
    if (this.state === 'chunk-end') {
      if (line !== '') throw new MalformedResponse('a chunk is longer than it says');
      this.state = 'chunk-line';
    } else if (this.state === 'chunk-line') {
      const size = CHUNK_FORM.exec(line)?.[1];
      if (size === undefined) throw new MalformedResponse('the length of a chunk');
      this.left = Number.parseInt(size, 16);
      this.state = this.left === 0 ? 'trailer' : 'chunk-data';
    } else {
      // The trailer is read past: nothing that comes behind a body is believed.
      this.headBytes += line.length + 2;
      if (this.headBytes > HEAD_BYTES_MAX) throw new MalformedResponse('the trailer is too long');
      if (line === '') this.end();
    }
  }

  private end(): void {
    this.state = 'idle';
    this.listener.onEnd();
  }
}

/** The lines behind the first, of a head that has been proved. */
function fieldsOf(text: string): string[] {
  const fields: string[] = [];
  let at = text.indexOf('\r\n');
  while (at !== -1) {
    const start = at + 2;
    const colon = text.indexOf(':', start);
    at = text.indexOf('\r\n', start);
    fields.push(text.slice(start, colon).toLowerCase(), trimmed(text, colon + 1, at === -1 ? text.length : at));
  }
  return fields;
}

/** Without spaces and tabs at both ends: `trim` would take other characters too. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const isBlank = (code: number): boolean => code === 32 || code === 9;
