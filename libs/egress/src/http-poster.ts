import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Pool } from 'undici';
import { createPool } from './guarded-pool.js';

const gzipOf = promisify(gzip);

/** What one receiver of posts is dialled with, and the bounds of each exchange. */
export interface HttpPosterOptions {
  readonly origin: URL;
  /** An operator named this target: loopback, private and link-local addresses are allowed. */
  readonly allowPrivateAddress: boolean;
  /** Authorities trusted in place of the system's, PEM. */
  readonly ca?: string;
  /** Connections at a time; further posts wait for one. */
  readonly connectionsMax: number;
  /** Milliseconds until a connection must stand. */
  readonly connectTimeoutMs: number;
  /** Milliseconds from the call to the last byte of the answer. */
  readonly requestTimeoutMs: number;
  /** Bytes of an answer's body; a longer one fails the exchange. */
  readonly answerBytesMax: number;
}

export interface HttpPost {
  /** Path with query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Sends the body with `content-encoding: gzip`. */
  readonly isGzipped?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Milliseconds that `Retry-After` asks for, where it is a number of seconds or a date (RFC 9110 section 10.2.3). */
  readonly retryAfterMs: number | undefined;
  readonly text: string;
}

/** The exchange had no whole answer: nobody knows whether the receiver acted on the post. */
export class PostFailed extends Error {
  override readonly name = 'PostFailed';
}

/**
 * Posts to one origin and reads bounded answers. Certificates are verified whatever the environment says, redirects
 * are answers like any other, and no error names a header, a query or a body.
 */
export class HttpPoster {
  private readonly pool: Pool;

  constructor(
    private readonly options: HttpPosterOptions,
    private readonly wallMs: () => number,
  ) {
    this.pool = createPool(options.origin, {
      allowPrivateAddress: options.allowPrivateAddress,
      bounds: { connectionsMax: options.connectionsMax, connectTimeoutMs: options.connectTimeoutMs },
      verifiesAlways: true,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    });
  }

  /**
   * @param signal - gives the exchange up
   * @throws PostFailed without a whole answer: no connection, reset, time-out, too long, given up
   */
  async post(post: HttpPost, signal?: AbortSignal): Promise<HttpAnswer> {
    const body = post.isGzipped === true ? await gzipOf(post.body) : post.body;
    const encoding = post.isGzipped === true ? { 'content-encoding': 'gzip' } : {};
    return this.within(signal, async (deadline) => {
      const answer = await this.pool.request({
        method: 'POST',
        path: post.path,
        headers: { ...post.headers, ...encoding },
        body,
        signal: deadline,
      });
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > this.options.answerBytesMax)
          throw new Error(`the answer exceeds ${this.options.answerBytesMax} bytes`);
        chunks.push(chunk);
      }
      const retryAfter = answer.headers['retry-after'];
      return {
        status: answer.statusCode,
        retryAfterMs: parseRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, this.wallMs()),
        text: Buffer.concat(chunks).toString('utf8'),
      };
    });
  }

  /** Ends idle connections and fails what still runs. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }

  /** `AbortSignal.any` over a signal that lives as long as the process would gather a listener for each post. */
  private async within<T>(signal: AbortSignal | undefined, work: (deadline: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const giveUp = () => controller.abort(new Error('given up'));
    if (signal?.aborted === true) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    const { requestTimeoutMs } = this.options;
    const timer = setTimeout(
      () => controller.abort(new Error(`no whole answer within ${requestTimeoutMs} ms`)),
      requestTimeoutMs,
    );
    try {
      return await work(controller.signal);
    } catch (error) {
      throw new PostFailed(reasonOf(error), { cause: error });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }
}

/** Node's and undici's messages name addresses and causes; none carries what was sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the exchange failed';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && !error.message.includes(code) ? `${error.message} (${code})` : error.message;
}

function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
