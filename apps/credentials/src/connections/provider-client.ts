import { type GuardedFetch, guardedFetch, type GuardedFetchOptions } from '@warder/egress';
import type { ProviderRequest } from '@warder/provider-catalog';

/** What a provider answered. */
export interface ProviderAnswer {
  readonly status: number;
  readonly body: string;
  /** Milliseconds that `Retry-After` asks for. */
  readonly retryAfterMs: number | undefined;
}

/** There was no whole answer. Its message names no header, no query and no body. */
export class ProviderSilent extends Error {
  override readonly name = 'ProviderSilent';

  /** @param wasSent - whether the provider may have acted on the request */
  constructor(
    readonly wasSent: boolean,
    message: string,
  ) {
    super(message);
  }
}

/** Failures before a byte of the request has left. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'WDR_ADDRESS_REFUSED',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

export interface ProviderClientOptions extends Pick<GuardedFetchOptions, 'timeoutMs' | 'bytesMax' | 'ca'> {
  /** Hosts, with their port, that may be private addresses. Only what an operator named may be one at all. */
  readonly privateHosts: readonly string[];
}

/** Sends the requests that the catalogue makes. */
export class ProviderClient {
  private readonly fetch: { readonly operator: GuardedFetch; readonly catalogue: GuardedFetch };

  constructor(
    options: ProviderClientOptions,
    private readonly wallMs: () => number,
  ) {
    const { privateHosts, ...bounds } = options;
    this.fetch = {
      operator: guardedFetch({ ...bounds, isNamed: (url) => privateHosts.includes(url.host) }),
      catalogue: guardedFetch({ ...bounds, isNamed: () => false }),
    };
  }

  /** @throws ProviderSilent without a whole answer */
  async send(request: ProviderRequest): Promise<ProviderAnswer> {
    const { url, namedBy, method, headers, body } = request;
    try {
      const answer = await this.fetch[namedBy](url, { method, headers, ...(body === undefined ? {} : { body }) });
      return {
        status: answer.status,
        body: await answer.text(),
        retryAfterMs: askedMs(answer.headers.get('retry-after'), this.wallMs()),
      };
    } catch (error) {
      const code = codeOf(error);
      throw new ProviderSilent(!NOT_SENT.has(code) && !(error instanceof TypeError), code);
    }
  }
}

function codeOf(error: unknown): string {
  for (let seen = error; seen instanceof Error; seen = seen.cause) {
    const { code } = seen as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return 'no whole answer in time';
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function askedMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
