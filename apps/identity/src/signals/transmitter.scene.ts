import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const POLL_TOKEN = 'the-token-that-the-transmitter-gave-to-warder';
export const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
export const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
export const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/';
export const AUDIENCE = 'https://warder.example/signals';

/** A question that was asked of the transmitter (RFC 8936 section 2.4). */
interface PollQuestion {
  readonly ack: string[];
  readonly setErrs: Record<string, { err: string; description: string }>;
  readonly maxEvents: number;
  readonly returnImmediately: boolean;
}

/** A provider as it runs elsewhere: its keys and metadata under its issuer, and events that are asked for. */
export class Transmitter {
  keys = new Map<string, KeyObject>();
  /** Times that its keys were read. */
  keysRead = 0;
  /** What it answers to every request in place of what was asked. */
  failsWith: number | undefined;
  /** Requests that were answered so. */
  failed = 0;
  readonly questions: PollQuestion[] = [];
  /** Events that wait to be acknowledged, by their ids. */
  readonly waiting = new Map<string, string>();
  private wake: () => void = () => {};
  private sent = 0;
  private readonly server: Server = createServer((request, response) => void this.answer(request, response));

  constructor() {
    this.rotate('k1');
  }

  /** Signs with this key from now on, and publishes it alone. */
  rotate(keyId: string): void {
    this.keys = new Map([[keyId, generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey]]);
  }

  async listen(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => this.server.once('listening', resolve));
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A token of the claims, with whatever is wrong with it; a claim of `undefined` is left out. */
  sign(claims: object, header: object = {}): string {
    const [keyId, key] = [...this.keys][0]!;
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'RS256', kid: keyId, ...header })}.${part(claims)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  }

  /** A security event token (RFC 8417) of one event. */
  event(
    type: string,
    subject: object | undefined,
    more: object = {},
    claims: object = {},
    header: object = {},
  ): string {
    const whole = {
      iss: this.issuer,
      aud: AUDIENCE,
      iat: Math.floor(Date.now() / 1_000),
      jti: this.tokenId(),
      ...(subject === undefined ? {} : { sub_id: subject }),
      events: { [type]: more },
      ...claims,
    };
    return this.sign(whole, { typ: 'secevent+jwt', ...header });
  }

  /** The token of a request of global revocation. */
  proof(audience: string, claims: object = {}, header: object = {}): string {
    const nowS = Math.floor(Date.now() / 1_000);
    const whole = { iss: this.issuer, aud: audience, sub: '0oa1', iat: nowS, exp: nowS + 300, jti: this.tokenId() };
    return this.sign({ ...whole, ...claims }, { typ: 'global-token-revocation+jwt', ...header });
  }

  /** Has an event wait until it is asked for. */
  offer(text: string, tokenId = idOf(text)): void {
    this.waiting.set(tokenId, text);
    this.wake();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private tokenId(): string {
    this.sent += 1;
    return `set-${this.sent}-${Math.random()}`;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = (value: unknown): void => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(value));
    };
    if (this.failsWith !== undefined) {
      this.failed += 1;
      return void response.writeHead(this.failsWith).end();
    }
    if (request.url === '/.well-known/ssf-configuration' || request.url === '/.well-known/openid-configuration')
      return json({ issuer: this.issuer, jwks_uri: `${this.issuer}/keys` });
    if (request.url === '/keys') {
      this.keysRead += 1;
      const keys = [...this.keys].map(([kid, key]) => {
        const { n, e } = key.export({ format: 'jwk' });
        return { kty: 'RSA', n, e, kid, alg: 'RS256', use: 'sig' };
      });
      return json({ keys });
    }
    if (request.url !== '/poll' || request.headers.authorization !== `Bearer ${POLL_TOKEN}`)
      return void response.writeHead(401).end();
    return json(await this.polled(request));
  }

  private async polled(request: IncomingMessage): Promise<object> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const question = JSON.parse(Buffer.concat(chunks).toString()) as PollQuestion;
    this.questions.push(question);
    for (const id of [...question.ack, ...Object.keys(question.setErrs)]) this.waiting.delete(id);
    if (this.waiting.size === 0 && !question.returnImmediately)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        request.socket.once('close', () => resolve());
      });
    const given = [...this.waiting].slice(0, question.maxEvents);
    return { sets: Object.fromEntries(given), moreAvailable: this.waiting.size > given.length };
  }
}

/** The id that a token has. */
export function idOf(token: string): string {
  return (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { jti: string }).jti;
}
