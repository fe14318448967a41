import { type JsonWebKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readAssertion } from './strict-assertion.js';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const CLIENT_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
export const ID_JAG_TYPE = 'urn:ietf:params:oauth:token-type:id-jag';

export interface StrictTokenServerOptions {
  readonly clientId: string;
  /** Where the keys of the client stand, and of whoever asserts people to it. */
  readonly jwksUri: string;
  /** Who asserts people, for exchanges. */
  readonly subjectIssuer?: string;
  /** Whom a token of another server is of, which this one takes in exchanges. */
  readonly foreignSubject?: (token: string) => string | undefined;
  /** Milliseconds that a key set is kept for. */
  readonly keysKeptMs?: number;
}

/** A token that the server gave. */
interface Given {
  readonly subject: string;
  readonly scope: string;
  readonly untilMs: number;
  isRevoked: boolean;
}

/** What a grant may hold beside the client's proof. */
const GRANTS: Readonly<Record<string, { readonly must: readonly string[]; readonly may: readonly string[] }>> = {
  client_credentials: { must: [], may: ['scope'] },
  [TOKEN_EXCHANGE]: {
    must: ['subject_token', 'subject_token_type'],
    may: ['scope', 'audience', 'resource', 'requested_token_type'],
  },
  [JWT_BEARER]: { must: ['assertion'], may: ['scope', 'requested_token_use'] },
};

/**
 * An authorization server that takes clients by `private_key_jwt` only, and nothing that RFC 6749, 7009, 7523 and 8693 do
 * not have: no parameter twice, none unknown, no assertion twice, no secret anywhere.
 */
export class StrictTokenServer {
  /** Why requests were refused, in their order. */
  readonly refusals: string[] = [];
  /** Forms of the token requests that were taken. */
  readonly taken: URLSearchParams[] = [];
  readonly revoked: string[] = [];
  /** Whose tokens its policy does not accept (RFC 8693 section 2.2.2). */
  readonly unacceptable = new Set<string>();
  lifetimeS = 3_600;
  private readonly given = new Map<string, Given>();
  private readonly seen = new Set<string>();
  private keys: { readonly list: readonly JsonWebKey[]; readonly atMs: number } | undefined;

  private constructor(
    private readonly server: Server,
    private readonly options: StrictTokenServerOptions,
  ) {}

  static async start(options: StrictTokenServerOptions): Promise<StrictTokenServer> {
    const server = createServer();
    const strict = new StrictTokenServer(server, options);
    server.on('request', (request, response) => void strict.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return strict;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get host(): string {
    return new URL(this.origin).host;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** Whom a token is of, while it is good. */
  subjectOf(token: string): string | undefined {
    const known = this.given.get(token);
    return known === undefined || known.isRevoked || known.untilMs <= Date.now() ? undefined : known.subject;
  }

  /** Gives a token as after a consent, which another server of the same kind takes in an exchange. */
  giveTo(subject: string, scope = ''): string {
    const token = `at-canary-${randomBytes(12).toString('hex')}`;
    this.given.set(token, { subject, scope, untilMs: Date.now() + this.lifetimeS * 1_000, isRevoked: false });
    return token;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
    try {
      ensure(request.method === 'POST', 'invalid_request', 'not a POST');
      const type = request.headers['content-type'];
      ensure(type === 'application/x-www-form-urlencoded', 'invalid_request', 'not a form');
      ensure(request.headers.authorization === undefined, 'invalid_client', 'another proof beside the assertion');
      ensure(new Set(form.keys()).size === [...form.keys()].length, 'invalid_request', 'a parameter came twice');
      await this.client(form);
      if (request.url === '/revoke') return json(response, 200, this.revoke(form));
      ensure(request.url === '/token', 'invalid_request', 'there is nothing here');
      json(response, 200, await this.grant(form));
    } catch (error) {
      const code = error instanceof NotTaken ? error.code : 'server_error';
      this.refusals.push(error instanceof Error ? error.message : String(error));
      json(response, code === 'invalid_client' ? 401 : 400, { error: code });
    }
  }

  private async client(form: URLSearchParams): Promise<void> {
    const { clientId } = this.options;
    ensure(form.get('client_secret') === null, 'invalid_client', 'a secret came');
    ensure(form.get('client_id') === clientId, 'invalid_client', 'another client');
    ensure(form.get('client_assertion_type') === CLIENT_ASSERTION, 'invalid_client', 'another type of assertion');
    const rules = {
      typ: 'JWT',
      issuer: clientId,
      subject: clientId,
      audience: `${this.origin}/token`,
      secondsMax: 300,
    };
    await this.assertion(form.get('client_assertion') ?? '', rules, 'invalid_client');
  }

  private async assertion(
    text: string,
    rules: Parameters<typeof readAssertion>[2],
    code: string,
  ): Promise<ReturnType<typeof readAssertion>> {
    try {
      return readAssertion(text, await this.keysFor(text), rules, this.seen);
    } catch (error) {
      throw new NotTaken(code, error instanceof Error ? error.message : '');
    }
  }

  /** Read again for a key that is not known, as servers do. */
  private async keysFor(text: string): Promise<readonly JsonWebKey[]> {
    const { kid } = JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()) as { kid?: string };
    const { keys } = this;
    const isKept = keys !== undefined && Date.now() - keys.atMs < (this.options.keysKeptMs ?? 60_000);
    if (isKept && keys.list.some((each) => each['kid'] === kid)) return keys.list;
    const answer = await fetch(this.options.jwksUri);
    ensure(answer.status === 200, 'invalid_client', 'the keys cannot be read');
    const { keys: list } = (await answer.json()) as { keys: JsonWebKey[] };
    this.keys = { list, atMs: Date.now() };
    return list;
  }

  private async grant(form: URLSearchParams): Promise<object> {
    const type = form.get('grant_type') ?? '';
    const grant = GRANTS[type];
    ensure(grant !== undefined, 'unsupported_grant_type', `the grant ${type}`);
    const { must, may } = grant!;
    const known = ['grant_type', 'client_id', 'client_assertion', 'client_assertion_type', ...must, ...may];
    for (const name of form.keys()) ensure(known.includes(name), 'invalid_request', `the parameter ${name}`);
    for (const name of must) ensure(form.has(name), 'invalid_request', `no ${name}`);
    const subject = await this.subject(type, form);
    this.taken.push(form);
    const scope = form.get('scope') ?? '';
    const shape = { token_type: 'Bearer', expires_in: this.lifetimeS, ...(scope === '' ? {} : { scope }) };
    const access_token = this.giveTo(subject, scope);
    return type === TOKEN_EXCHANGE
      ? { access_token, issued_token_type: ACCESS_TOKEN_TYPE, ...shape }
      : { access_token, ...shape };
  }

  private async subject(grant: string, form: URLSearchParams): Promise<string> {
    if (grant === 'client_credentials') return this.options.clientId;
    if (grant === JWT_BEARER) {
      // As Microsoft has it: the token of the person for our client, and on whose behalf.
      ensure(form.get('requested_token_use') === 'on_behalf_of', 'invalid_request', 'not on behalf of anybody');
      return this.held(form.get('assertion') ?? '');
    }
    const token = form.get('subject_token') ?? '';
    if (form.get('subject_token_type') === ACCESS_TOKEN_TYPE) return this.held(token);
    ensure(form.get('subject_token_type') === JWT_TYPE, 'invalid_request', 'another type of subject token');
    const rules = {
      typ: 'JWT',
      issuer: this.options.subjectIssuer ?? '',
      audience: `${this.origin}/token`,
      claims: ['email', 'name'],
      secondsMax: 60,
    };
    return (await this.assertion(token, rules, 'invalid_grant')).sub;
  }

  private held(token: string): string {
    const subject = this.subjectOf(token) ?? this.options.foreignSubject?.(token);
    ensure(subject !== undefined, 'invalid_grant', 'the token is not one of mine that is good');
    ensure(!this.unacceptable.has(subject!), 'invalid_request', 'a subject whose tokens are not accepted');
    return subject!;
  }

  /** RFC 7009 section 2.2: a token that is not known is answered with 200 too. */
  private revoke(form: URLSearchParams): object {
    const token = form.get('token') ?? '';
    this.revoked.push(token);
    const known = this.given.get(token);
    if (known !== undefined) known.isRevoked = true;
    return {};
  }
}

/** A request that is not as the documents have it, with the code of RFC 6749 section 5.2. */
class NotTaken extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

function ensure(holds: boolean, code: string, otherwise: string): void {
  if (!holds) throw new NotTaken(code, otherwise);
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
