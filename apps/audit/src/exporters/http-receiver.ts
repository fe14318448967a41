import { readFileSync } from 'node:fs';
import { type HttpAnswer, HttpPoster } from '@warder/egress';
import type { DestinationContext } from './destination.js';
import type { HttpSettings } from './http-settings.js';

/** The receiver's end of an exporter: posts under the path of its address, with the headers that every post has. */
export class HttpReceiver {
  private readonly poster: HttpPoster;
  private readonly base: string;

  /** @throws Error for a `caFile` that cannot be read */
  constructor(
    private readonly settings: HttpSettings,
    private readonly headers: Readonly<Record<string, string>>,
    context: Pick<DestinationContext, 'clock'>,
  ) {
    const url = new URL(settings.url);
    this.base = url.pathname.replace(/\/+$/, '');
    this.poster = new HttpPoster(
      {
        origin: url,
        allowPrivateAddress: settings.allowPrivateAddress,
        ...(settings.caFile === undefined ? {} : { ca: readFileSync(settings.caFile, 'utf8') }),
        connectionsMax: settings.connectionsMax,
        connectTimeoutMs: settings.connectTimeoutMs,
        requestTimeoutMs: settings.requestTimeoutMs,
        answerBytesMax: settings.answerBytesMax,
      },
      () => context.clock.wallMs(),
    );
  }

  /**
   * @param path - below the address's own; empty for the address itself
   * @throws PostFailed without a whole answer
   */
  async post(
    path: string,
    body: string,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    return this.poster.post(
      {
        path: `${this.base}${path}` === '' ? '/' : `${this.base}${path}`,
        headers: { ...this.headers, ...headers },
        body,
        isGzipped: this.settings.gzip,
      },
      signal,
    );
  }

  async close(): Promise<void> {
    await this.poster.close();
  }
}

/** The object that an answer holds, or `undefined`: a proxy in between answers with pages. */
export function jsonObjectOf(answer: HttpAnswer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(answer.text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
