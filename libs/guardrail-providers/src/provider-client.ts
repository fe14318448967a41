import { randomUUID } from 'node:crypto';
import type { GuardrailProvider, ProviderError } from '@warder/contracts';
import { type HttpAnswer, HttpPoster, PostFailed } from '@warder/egress';
import { CircuitBreaker } from './circuit-breaker.js';
import { kindOf } from './kinds.js';
import { parsedJson } from './parsed.js';
import {
  AnswerMalformed,
  type Asked,
  type Moment,
  type ProviderKind,
  type ProviderPost,
  SecretUnusable,
  type Sighting,
} from './provider-kind.js';
import { piecesOf } from './text-pieces.js';

/** Bytes of one answer that are read. */
const ANSWER_BYTES_MAX = 1_048_576;
/** Milliseconds by which the client's own timer, which knows that it is a time-out, comes before the transport's. */
const OWN_TIMER_FIRST_MS = 1_000;
/** Milliseconds before its end that a token is fetched anew. */
const TOKEN_EARLY_MS = 60_000;

/** What a provider said, or why it said nothing; whole milliseconds until then. */
export type ProviderAnswer =
  | { readonly ms: number; readonly sightings: readonly Sighting[]; readonly error?: undefined }
  | { readonly ms: number; readonly error: ProviderError; readonly sightings?: undefined };

/** What fires when a question is of no use any more; an AbortSignal is one. */
export interface GiveUp {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface ClientClock {
  wallMs(): number;
  monotonicMs(): number;
}

class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  constructor(readonly reason: ProviderError) {
    super(reason);
  }
}

/** Reasons that say nothing of the provider's health: the breaker does not count them. */
const OURS: ReadonlySet<ProviderError> = new Set(['too-large', 'busy', 'breaker-open', 'no-credential']);

/** Asks one provider, within its bounds. */
export class ProviderClient {
  private readonly kind: ProviderKind;
  private readonly poster: HttpPoster;
  private readonly tokens: HttpPoster | undefined;
  private readonly breaker: CircuitBreaker;
  private running = 0;
  private token: { readonly of: string; readonly text: string; readonly untilMs: number } | undefined;

  constructor(
    private readonly settings: GuardrailProvider,
    private readonly clock: ClientClock,
  ) {
    this.kind = kindOf(settings);
    this.breaker = new CircuitBreaker(settings.breaker);
    this.poster = this.posterTo(this.kind.origin);
    this.tokens = this.kind.token === undefined ? undefined : this.posterTo(this.kind.token.origin);
  }

  get isOpen(): boolean {
    return this.breaker.isOpen;
  }

  get needsSecret(): boolean {
    return this.kind.needsSecret;
  }

  /**
   * Never throws, but for a bug of ours, and never takes longer than `timeoutMs`, whatever the provider does.
   * @param secretOf - the credential as it is stored; undefined where there is none. What it waits for counts as well
   * @param signal - gives the question up
   */
  async ask(
    asked: Asked,
    secretOf: () => string | undefined | Promise<string | undefined>,
    signal: GiveUp,
  ): Promise<ProviderAnswer> {
    const startedAtMs = this.clock.monotonicMs();
    const since = () => Math.round(this.clock.monotonicMs() - startedAtMs);
    const pieces = this.piecesWithin(asked.text);
    if (pieces === undefined) return { ms: 0, error: 'too-large' };
    if (this.running >= this.settings.concurrencyMax) return { ms: 0, error: 'busy' };
    if (!this.breaker.admits(startedAtMs)) return { ms: 0, error: 'breaker-open' };
    this.running += 1;
    const ended = new AbortController();
    const giveUp = () => ended.abort();
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    const timer = setTimeout(giveUp, this.settings.timeoutMs);
    try {
      const sightings = await until(ended.signal, async () => {
        const secret = await this.secretFor(secretOf, ended.signal);
        const found = await Promise.all(
          pieces.map(async ({ start, text }) =>
            (await this.askPiece({ ...asked, text }, secret, ended.signal)).map((sighting) => moved(sighting, start)),
          ),
        );
        return withoutRepeats(found.flat());
      });
      this.breaker.succeeded();
      return { ms: since(), sightings };
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) {
        // A bug says nothing of the provider, and must not keep the breaker waiting for a word for ever.
        this.breaker.abandoned();
        throw error;
      }
      if (signal.aborted || OURS.has(reason)) this.breaker.abandoned();
      else this.breaker.failed(this.clock.monotonicMs());
      return { ms: since(), error: reason };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      this.running -= 1;
      ended.abort(); // what still runs for the other pieces is of no use any more
    }
  }

  /** Fails what still runs. */
  async close(): Promise<void> {
    await Promise.all([this.poster.close(), this.tokens?.close()]);
  }

  private posterTo(origin: URL): HttpPoster {
    const { allowPrivateAddress, concurrencyMax, timeoutMs } = this.settings;
    return new HttpPoster(
      {
        origin,
        allowPrivateAddress,
        connectionsMax: concurrencyMax,
        connectTimeoutMs: timeoutMs + OWN_TIMER_FIRST_MS,
        requestTimeoutMs: timeoutMs + OWN_TIMER_FIRST_MS,
        answerBytesMax: ANSWER_BYTES_MAX,
      },
      () => this.clock.wallMs(),
    );
  }

  private piecesWithin(text: string) {
    // A UTF-16 unit is three bytes of UTF-8 at most, so a short text need not be counted.
    const isLong = text.length * 3 > this.settings.bytesMax;
    if (isLong && Buffer.byteLength(text) > this.settings.bytesMax) return undefined;
    return piecesOf(text, this.kind.charsMax);
  }

  /** What requests carry: the stored secret, or a token that it is exchanged for. */
  private async secretFor(
    secretOf: () => string | undefined | Promise<string | undefined>,
    signal: AbortSignal,
  ): Promise<string> {
    const stored = await secretOf();
    if (stored === undefined || stored === '') {
      if (this.kind.needsSecret) throw new NoAnswer('no-credential');
      return '';
    }
    const { token } = this.kind;
    if (token === undefined || this.tokens === undefined) return stored;
    const nowMs = this.clock.wallMs();
    if (this.token?.of === stored && nowMs < this.token.untilMs) return this.token.text;
    const answer = await this.send(this.tokens, token.request(stored, this.moment()), signal);
    const { token: text, expiresInMs } = token.read(answer);
    this.token = { of: stored, text, untilMs: nowMs + expiresInMs - TOKEN_EARLY_MS };
    return text;
  }

  private async askPiece(asked: Asked, secret: string, signal: AbortSignal): Promise<readonly Sighting[]> {
    const answer = await this.send(this.poster, this.kind.request(asked, secret, this.moment()), signal);
    return this.kind.read(answer, asked);
  }

  private async send(poster: HttpPoster, post: ProviderPost, signal: AbortSignal): Promise<unknown> {
    const answer = await poster.post({ ...post, headers: { ...post.headers, accept: 'application/json' } }, signal);
    if (answer.status !== 200) {
      if (answer.status === 401) this.token = undefined;
      throw new NoAnswer(errorOf(answer));
    }
    return parsedJson(answer.text);
  }

  private moment(): Moment {
    return { wallMs: this.clock.wallMs(), nonce: randomUUID() };
  }
}

function errorOf({ status }: HttpAnswer): ProviderError {
  if (status === 429) return 'limited';
  return status === 401 || status === 403 ? 'refused' : 'failed';
}

function reasonOf(error: unknown): ProviderError | undefined {
  if (error instanceof NoAnswer) return error.reason;
  if (error instanceof SecretUnusable) return 'no-credential';
  if (error instanceof AnswerMalformed) return 'malformed';
  return error instanceof PostFailed ? 'unreachable' : undefined;
}

/** The work, or a time-out the moment that the signal fires, whether or not the work heeds it. */
async function until<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let stop = (): void => {};
  const given = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new NoAnswer('timeout'));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([work(), given]);
  } catch (error) {
    throw signal.aborted ? new NoAnswer('timeout') : error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function moved(sighting: Sighting, by: number): Sighting {
  const { span } = sighting;
  return span === undefined || by === 0
    ? sighting
    : { ...sighting, span: { start: span.start + by, end: span.end + by } };
}

/** Pieces overlap, and several of them may say the same of the whole. */
function withoutRepeats(sightings: readonly Sighting[]): readonly Sighting[] {
  const seen = new Map<string, Sighting>();
  for (const sighting of sightings) {
    const { kind, category, span } = sighting;
    const key = `${kind} ${category} ${span === undefined ? '' : `${span.start}-${span.end}`}`;
    if (!seen.has(key)) seen.set(key, sighting);
  }
  return [...seen.values()];
}
