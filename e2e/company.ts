import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const KEY_ID = 'c1';
const POLL_TOKEN = 'the-token-that-the-company-gave-to-warder';

/**
 * The company's provider as it runs elsewhere: people sign in there without a question, refresh tokens are used once,
 * and what happens to an account is told by signed messages, pushed or kept until they are asked for.
 */
export class Company {
  /** Who signs in at the next visit. */
  visitor = '';
  /** Subjects whose account is there. */
  readonly accounts = new Set<string>();
  private readonly key = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  private readonly codes = new Map<string, { subject: string; nonce: string }>();
  private readonly refreshTokens = new Map<string, string>();
  private readonly waiting = new Map<string, string>();
  private wake: () => void = () => {};
  private readonly server: Server = createServer((request, response) => void this.answer(request, response));

  static async open(): Promise<Company> {
    const company = new Company();
    company.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => company.server.once('listening', resolve));
    return company;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** How Warder is told of it. */
  get poll(): { url: string; token: string; everySeconds: number } {
    return { url: `${this.issuer}/poll`, token: POLL_TOKEN, everySeconds: 1 };
  }

  addressOf(subject: string): string {
    return `${subject}@example.com`;
  }

  /** A signed message; `iat`, `jti` and `iss` are put in. */
  message(type: string, claims: object): string {
    const nowS = Math.floor(Date.now() / 1_000);
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const whole = { iss: this.issuer, iat: nowS, jti: randomUUID(), ...claims };
    const text = `${part({ alg: 'RS256', kid: KEY_ID, typ: type })}.${part(whole)}`;
    return `${text}.${sign('sha256', Buffer.from(text), this.key.privateKey).toString('base64url')}`;
  }

  /** A security event of the subject (RFC 8417). */
  event(type: string, subject: string, audience: string): string {
    const sub_id = { format: 'iss_sub', iss: this.issuer, sub: subject };
    return this.message('secevent+jwt', { aud: audience, sub_id, events: { [type]: {} } });
  }

  /** Keeps an event until it was asked for and acknowledged (RFC 8936). */
  offer(text: string): void {
    const { jti } = JSON.parse(Buffer.from(text.split('.')[1]!, 'base64url').toString()) as { jti: string };
    this.waiting.set(jti, text);
    this.wake();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.issuer);
    if (url.pathname === '/authorize') return this.authorize(url, response);
    const found = await this.document(url.pathname, request);
    response.writeHead(found.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found.body));
  }

  private authorize({ searchParams }: URL, response: ServerResponse): void {
    const code = randomUUID();
    this.codes.set(code, { subject: this.visitor, nonce: searchParams.get('nonce') ?? '' });
    const back = new URL(searchParams.get('redirect_uri') ?? '');
    for (const [name, value] of Object.entries({ code, state: searchParams.get('state') ?? '', iss: this.issuer }))
      back.searchParams.set(name, value);
    response.writeHead(303, { location: back.href }).end();
  }

  private async document(path: string, request: IncomingMessage): Promise<{ status: number; body: object }> {
    const { issuer } = this;
    if (path.startsWith('/.well-known/'))
      return {
        status: 200,
        body: {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/keys`,
          response_types_supported: ['code'],
          authorization_response_iss_parameter_supported: true,
          id_token_signing_alg_values_supported: ['RS256'],
        },
      };
    if (path === '/keys') {
      const jwk = this.key.publicKey.export({ format: 'jwk' });
      return { status: 200, body: { keys: [{ ...jwk, kid: KEY_ID, alg: 'RS256', use: 'sig' }] } };
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    if (path === '/token') return this.token(new URLSearchParams(text));
    if (path === '/poll' && request.headers.authorization === `Bearer ${POLL_TOKEN}`)
      return {
        status: 200,
        body: await this.polled(JSON.parse(text) as { ack: string[]; returnImmediately: boolean }),
      };
    return { status: 404, body: {} };
  }

  private token(form: URLSearchParams): { status: number; body: object } {
    const refreshToken = form.get('refresh_token') ?? '';
    const known = this.codes.get(form.get('code') ?? '') ?? {
      subject: this.refreshTokens.get(refreshToken) ?? '',
      nonce: undefined,
    };
    this.refreshTokens.delete(refreshToken);
    if (!this.accounts.has(known.subject)) return { status: 400, body: { error: 'invalid_grant' } };
    const next = randomUUID();
    this.refreshTokens.set(next, known.subject);
    const nowS = Math.floor(Date.now() / 1_000);
    const claims = {
      aud: 'warder',
      sub: known.subject,
      exp: nowS + 300,
      nonce: known.nonce,
      name: known.subject,
      email: this.addressOf(known.subject),
      email_verified: true,
      groups: ['knowers'],
    };
    const id_token = this.message('JWT', claims);
    const body = { access_token: 'unused', token_type: 'Bearer', expires_in: 300, refresh_token: next, id_token };
    return { status: 200, body };
  }

  private async polled({ ack, returnImmediately }: { ack: string[]; returnImmediately: boolean }): Promise<object> {
    for (const id of ack) this.waiting.delete(id);
    if (this.waiting.size === 0 && !returnImmediately)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, 20_000).unref();
      });
    return { sets: Object.fromEntries(this.waiting) };
  }
}
