import type { IncomingMessage, ServerResponse } from 'node:http';
import { Buckets } from '@warder/limits';
import { addressKey, answerJson, type RawHandler } from '@warder/service-host';
import { configuredDigest, isBearerOf, bearerOf } from './bearer-digest.js';
import type { EventReceiver } from './event-receiver.js';
import { KeysAway } from './sender-keys.js';
import { TRANSMITTERS_MAX } from './signals-config.js';
import { MessageRefused } from './signed-message.js';
import { SubjectUnclear } from './subject.js';
import { LogoutRefused, type UniversalLogout } from './universal-logout.js';

/** Where senders of signals come in. */
export const SIGNALS_PREFIX = '/signals';
const ADDRESSES_MAX = 50_000;
/** Seconds after which keys may be there. */
const RETRY_AFTER_S = 30;

export type SignalRefusal =
  'WDR_SIGNAL_REFUSED' | 'WDR_SIGNAL_SUBJECT_UNKNOWN' | 'WDR_SIGNAL_KEYS_AWAY' | 'WDR_SIGNALS_RATE_LIMITED';

export interface SignalsDoorParts {
  /** By their ids. */
  readonly receivers: ReadonlyMap<string, EventReceiver>;
  readonly logouts: ReadonlyMap<string, UniversalLogout>;
  readonly rate: { readonly requestsPerMinute: number; readonly burst: number };
  readonly bodyBytesMax: number;
  clientAddress(request: IncomingMessage): string;
  readonly monotonicMs: () => number;
  /** A message that was not taken, for the record. */
  onRefusal(told: { code: SignalRefusal; detail: string; route: string; address: string }): void;
  onBug(error: unknown): void;
}

interface Answer {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is answered in the form of every door. */
class NotTaken extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Takes what providers and transmitters send: pushed security events, and requests of global revocation. */
export class SignalsDoor {
  private readonly byAddress = new Buckets(ADDRESSES_MAX);
  private readonly bySender = new Buckets(2 * TRANSMITTERS_MAX);
  private readonly bearers: ReadonlyMap<string, Buffer>;

  constructor(private readonly parts: SignalsDoorParts) {
    this.bearers = new Map(
      [...parts.receivers.values()].flatMap(({ config: { id, push } }) =>
        push === undefined ? [] : [[id, configuredDigest(push.bearer)] as const],
      ),
    );
  }

  /** Takes requests under `SIGNALS_PREFIX`. */
  readonly handle: RawHandler = (request, response) => {
    this.answer(request).then(
      (answer) => send(response, answer),
      (error: unknown) => {
        this.parts.onBug(error);
        send(response, { status: 500, body: { error: { code: 'WDR_INTERNAL', message: 'internal error' } } });
      },
    );
  };

  private async answer(request: IncomingMessage): Promise<Answer> {
    const [, , kind = '', id = '', ...more] = (request.url ?? '').split('?', 1)[0]!.split('/');
    const address = this.parts.clientAddress(request);
    // Of a path that is known only: whoever is refused may write any, secrets too.
    const route = kind === 'push' || kind === 'universal-logout' ? `${SIGNALS_PREFIX}/${kind}/:id` : SIGNALS_PREFIX;
    const refuse = (code: SignalRefusal, detail: string): void =>
      this.parts.onRefusal({ code, detail, route, address });
    try {
      this.take(this.byAddress, addressKey(address));
      const receiver = kind === 'push' && this.bearers.has(id) ? this.parts.receivers.get(id) : undefined;
      const logout = kind === 'universal-logout' ? this.parts.logouts.get(id) : undefined;
      if ((receiver === undefined && logout === undefined) || more.length > 0)
        throw new NotTaken(404, 'WDR_PATH_UNKNOWN', 'no such path');
      if (request.method !== 'POST') throw new NotTaken(405, 'WDR_PATH_UNKNOWN', 'send POST', { allow: 'POST' });
      if (receiver !== undefined) return await this.push(request, receiver, address, refuse);
      return await this.logout(request, logout!, address, refuse);
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error;
      if (error.status === 429) refuse('WDR_SIGNALS_RATE_LIMITED', 'too many messages');
      if (error.status === 503) refuse('WDR_SIGNAL_KEYS_AWAY', `${id}: ${error.message}`);
      const { status, code, message, headers } = error;
      return { status, body: { error: { code, message } }, headers };
    }
  }

  /** @see RFC 8935 sections 2.2 to 2.4 */
  private async push(
    request: IncomingMessage,
    receiver: EventReceiver,
    address: string,
    refuse: (code: SignalRefusal, detail: string) => void,
  ): Promise<Answer> {
    const { id } = receiver.config;
    const fault = (err: string, description: string): Answer => {
      refuse('WDR_SIGNAL_REFUSED', `${id}: ${err}: ${description}`);
      return { status: 400, body: { err, description }, headers: { 'content-language': 'en' } };
    };
    if (!isBearerOf(request.headers.authorization, this.bearers.get(id)!))
      return fault('authentication_failed', 'the bearer is not accepted');
    this.take(this.bySender, `push/${id}`);
    if (mediaTypeOf(request) !== 'application/secevent+jwt')
      return fault('invalid_request', 'send application/secevent+jwt');
    const text = await this.textOf(request);
    try {
      await receiver.take(text.trim(), address);
      return { status: 202 };
    } catch (error) {
      if (error instanceof KeysAway) throw keysAway(error);
      if (error instanceof MessageRefused) return fault(error.fault, error.message);
      throw error;
    }
  }

  /** @see draft-parecki-oauth-global-token-revocation, section on the response */
  private async logout(
    request: IncomingMessage,
    logout: UniversalLogout,
    address: string,
    refuse: (code: SignalRefusal, detail: string) => void,
  ): Promise<Answer> {
    const { id } = logout.config;
    const fault = (status: number, code: SignalRefusal, message: string, detail: string): Answer => {
      refuse(code, `${id}: ${detail}`);
      const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : undefined;
      return { status, body: { error: { code, message } }, ...(challenge ? { headers: challenge } : {}) };
    };
    const token = bearerOf(request.headers.authorization);
    if (token === undefined) return fault(401, 'WDR_SIGNAL_REFUSED', 'send a signed token', 'no bearer');
    try {
      const proof = await logout.verify(token);
      this.take(this.bySender, `logout/${id}`);
      const done = await logout.end(proof, await this.textOf(request), address);
      if (done === 'done') return { status: 204 };
      return fault(404, 'WDR_SIGNAL_SUBJECT_UNKNOWN', 'nobody is known by this subject', 'nobody by this subject');
    } catch (error) {
      if (error instanceof KeysAway) throw keysAway(error);
      if (error instanceof MessageRefused || error instanceof LogoutRefused)
        return fault(401, 'WDR_SIGNAL_REFUSED', 'the token is not accepted', error.message);
      if (error instanceof SubjectUnclear)
        return fault(400, 'WDR_SIGNAL_REFUSED', 'the body names no subject that is understood', error.message);
      throw error;
    }
  }

  private take(buckets: Buckets, key: string): void {
    const { rate, monotonicMs } = this.parts;
    const left = buckets.take(key, { emissionMs: 60_000 / rate.requestsPerMinute, burst: rate.burst }, monotonicMs());
    if (left >= 0) return;
    const retryAfter = { 'retry-after': String(Math.ceil(-left / 1_000)) };
    throw new NotTaken(429, 'WDR_SIGNALS_RATE_LIMITED', 'too many messages, try again later', retryAfter);
  }

  private async textOf(request: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > this.parts.bodyBytesMax)
        throw new NotTaken(413, 'WDR_BODY_TOO_LARGE', 'the body is too large', { connection: 'close' });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

function keysAway(error: KeysAway): NotTaken {
  return new NotTaken(503, 'WDR_SIGNAL_KEYS_AWAY', error.message, { 'retry-after': String(RETRY_AFTER_S) });
}

function mediaTypeOf(request: IncomingMessage): string | undefined {
  return request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (body !== undefined) return answerJson(response, status, body);
  response.writeHead(status, { 'cache-control': 'no-store', ...(status === 204 ? {} : { 'content-length': 0 }) });
  response.end();
}
