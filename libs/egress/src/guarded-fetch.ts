import { createPool } from './guarded-pool.js';
import type { DialOptions } from './dial.js';

export interface GuardedFetchOptions extends Omit<DialOptions, 'allowPrivateAddress'> {
  /** Whether an operator named the origin: only then may it be private, or without TLS. */
  isNamed(origin: URL): boolean;
  /** Milliseconds from the call to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Bytes of an answer's body; a longer one fails the exchange. */
  readonly bytesMax: number;
}

/** As much of `fetch` as the libraries of OAuth need. */
export type GuardedFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * A `fetch` for documents that others name: bounded in time and bytes, without redirects, over TLS, and never to an
 * address that is not public, whatever a name resolves to at the second time. Each call has its own connection, for they
 * are rare.
 */
export function guardedFetch(options: GuardedFetchOptions): GuardedFetch {
  return async (to, init = {}) => {
    const url = new URL(to);
    const allowPrivateAddress = options.isNamed(url);
    if (url.protocol !== 'https:' && !(allowPrivateAddress && url.protocol === 'http:'))
      throw new TypeError('only https is fetched');
    const pool = createPool(url, { ...options, allowPrivateAddress, verifiesAlways: true });
    const timer = new AbortController();
    const timeout = setTimeout(() => timer.abort(new Error('no whole answer in time')), options.timeoutMs);
    try {
      const headers = Object.fromEntries(new Headers(init.headers).entries());
      const { body = null } = init;
      const answer = await pool.request({
        path: url.pathname + url.search,
        method: methodOf(init.method),
        headers: { ...headers, 'accept-encoding': 'identity' },
        body: body === null ? null : await new Response(body).text(),
        signal: init.signal == null ? timer.signal : AbortSignal.any([timer.signal, init.signal]),
      });
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > options.bytesMax) throw new Error(`the answer exceeds ${options.bytesMax} bytes`);
        chunks.push(chunk);
      }
      return responseOf(answer.statusCode, answer.headers, Buffer.concat(chunks));
    } finally {
      clearTimeout(timeout);
      await pool.destroy();
    }
  };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Another method is refused: sent as a GET, it would be answered as if it had done what it did not do. */
function methodOf(given = 'GET'): (typeof METHODS)[number] {
  const method = METHODS.find((each) => each === given.toUpperCase());
  if (method === undefined) throw new TypeError('not a method that is sent');
  return method;
}

/** Statuses that a `Response` takes no body with (Fetch standard, null body status). */
const BODILESS = new Set([101, 103, 204, 205, 304]);

function responseOf(status: number, given: NodeJS.Dict<string | string[]>, body: Buffer): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    for (const each of Array.isArray(value) ? value : [value ?? '']) headers.append(name, each);
  }
  return new Response(BODILESS.has(status) ? null : new Uint8Array(body), { status, headers });
}
