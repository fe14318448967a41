/** One answer of a keep-alive connection: status and body as text. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Cuts a connection's bytes into answers: `content-length` or chunked, nothing else is spoken here. Only the proxy
 * under test is measured, so this is written to be plain and not to be fast.
 */
export class HttpAnswerReader {
  private pending: Buffer = Buffer.alloc(0);

  /** @returns the answers that are whole now @throws Error for bytes that are no such answer */
  push(chunk: Buffer): HttpAnswer[] {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    const answers: HttpAnswer[] = [];
    for (let answer = this.next(); answer !== undefined; answer = this.next()) answers.push(answer);
    return answers;
  }

  private next(): HttpAnswer | undefined {
    const headEnd = this.pending.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const head = this.pending.toString('latin1', 0, headEnd);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    if (!Number.isInteger(status)) throw new Error(`no HTTP answer: ${head.slice(0, 80)}`);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) return this.take(status, headEnd + 4, headEnd + 4 + Number(length));
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) return this.nextChunked(status, headEnd + 4);
    return this.take(status, headEnd + 4, headEnd + 4);
  }

  private take(status: number, start: number, end: number): HttpAnswer | undefined {
    if (this.pending.length < end) return undefined;
    const body = this.pending.toString('utf8', start, end);
    this.pending = this.pending.subarray(end);
    return { status, body };
  }

  private nextChunked(status: number, bodyStart: number): HttpAnswer | undefined {
    const parts: Buffer[] = [];
    for (let at = bodyStart; ;) {
      const lineEnd = this.pending.indexOf('\r\n', at);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(this.pending.toString('latin1', at, lineEnd), 16);
      if (this.pending.length < lineEnd + 4 + size) return undefined;
      if (size > 0) parts.push(this.pending.subarray(lineEnd + 2, lineEnd + 2 + size));
      at = lineEnd + 4 + size;
      if (size > 0) continue;
      this.pending = this.pending.subarray(at);
      return { status, body: Buffer.concat(parts).toString('utf8') };
    }
  }
}
