import { createPool } from '@warder/egress';
import { SecretError } from '../secret-store.js';

/** Bytes of one answer; a page of names of a large store is the largest. */
const ANSWER_BYTES_MAX = 4_194_304;

/** What node-vault asks of its HTTP library. */
export interface VaultRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

export interface VaultAnswer {
  readonly statusCode: number;
  readonly body: unknown;
  readonly request: { readonly path: string };
}

export interface VaultTransport {
  /** @throws SecretError `unreachable` without a whole answer in time; it names neither headers nor bodies */
  send(request: VaultRequest): Promise<VaultAnswer>;
  close(): Promise<void>;
}

export interface VaultTransportOptions {
  readonly url: string;
  readonly ca?: string;
  readonly timeoutMs: number;
  readonly connectionsMax: number;
  readonly callsMax: number;
}

/**
 * HTTP for node-vault in place of the library it brings: that one takes proxies from the environment, follows redirects
 * with the token, has no bound of time or size, and its errors hold the token and what was written.
 */
export function createVaultTransport(options: VaultTransportOptions): VaultTransport {
  const { url, ca, timeoutMs, connectionsMax, callsMax } = options;
  const pool = createPool(new URL(url), {
    // The operator named it; it stands in a private network as a rule.
    allowPrivateAddress: true,
    verifiesAlways: true,
    bounds: { connectionsMax, connectTimeoutMs: timeoutMs },
    ...(ca === undefined ? {} : { ca }),
  });
  let calls = 0;
  const exchange = async (request: VaultRequest, signal: AbortSignal): Promise<VaultAnswer> => {
    const { pathname, search } = new URL(request.uri);
    const isWithBody = request.json !== undefined && request.json !== true;
    const answer = await pool.request({
      method: request.method as 'GET',
      path: pathname + search,
      headers: { ...request.headers, ...(isWithBody ? { 'content-type': 'application/json' } : {}) },
      body: isWithBody ? JSON.stringify(request.json) : null,
      signal,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error('too long');
      chunks.push(chunk);
    }
    return { statusCode: answer.statusCode, body: parsed(Buffer.concat(chunks)), request: { path: pathname } };
  };
  return {
    async send(request) {
      if (calls >= callsMax) throw unreachable(`${callsMax} calls to it run already`);
      calls += 1;
      const giveUp = new AbortController();
      const timer = setTimeout(() => giveUp.abort(), timeoutMs);
      try {
        return await exchange(request, giveUp.signal);
      } catch (error) {
        if (giveUp.signal.aborted) throw unreachable(`no answer within ${timeoutMs} ms`);
        const { code } = error as { code?: unknown };
        throw unreachable(typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? code : 'the exchange failed');
      } finally {
        clearTimeout(timer);
        calls -= 1;
      }
    },
    close: () => pool.destroy(),
  };
}

/** Without what was thrown: an error of HTTP may hold the request. */
function unreachable(why: string): SecretError {
  return new SecretError('unreachable', `the vault cannot be reached: ${why}`);
}

function parsed(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // A page of a proxy in between; its status is told.
    return undefined;
  }
}
