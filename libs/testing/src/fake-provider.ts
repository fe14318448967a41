import { createHash } from 'node:crypto';
import { FakeProviderLedger } from './fake-provider-ledger.js';
import type { FakeProviderRules } from './fake-provider-rules.js';
import { type FakeAnswer, fakeJson, FakeReceiver, type ReceivedRequest } from './fake-receiver.js';

/** In which header a request says where it would have gone. */
const WHERE = 'x-fake-origin';

/** A request of a client's, as far as it is sent on to a fake. */
export interface SentToFake {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a request lacks, or has too much; a refusal that a provider would not explain so well. */
class NotAsDocumented extends Error {}

export interface FakeProviderOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly nowMs: () => number;
}

/**
 * An authorization server that holds a client to what one provider's documents say: host, path, method, every
 * parameter, the form of the body, how the client proves itself. It answers 418 and why to whatever else comes, so that
 * no client takes that for an answer of OAuth.
 */
export class FakeProvider {
  readonly ledger: FakeProviderLedger;
  private readonly receiver: Promise<FakeReceiver>;

  constructor(
    private readonly rules: FakeProviderRules,
    private readonly options: FakeProviderOptions,
  ) {
    this.ledger = new FakeProviderLedger(options.nowMs);
    this.receiver = FakeReceiver.start((request) => this.answer(request));
  }

  async stop(): Promise<void> {
    await (await this.receiver).stop();
  }

  /** Sends what was meant for the provider to this fake, over HTTP. */
  async send({ url, method, headers, body }: SentToFake): Promise<{ status: number; body: string; location?: string }> {
    const receiver = await this.receiver;
    const answer = await fetch(`${receiver.url}${url.pathname}${url.search}`, {
      method,
      headers: { ...headers, [WHERE]: url.origin },
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
    const location = answer.headers.get('location');
    return { status: answer.status, body: await answer.text(), ...(location === null ? {} : { location }) };
  }

  /** Whether a call with these headers would be answered. */
  authorizes(headers: Readonly<Record<string, string>>): boolean {
    const rest = Object.entries(this.rules.callHeaders ?? {});
    if (rest.some(([name, value]) => headers[name] !== value)) return false;
    const [scheme, token = ''] = (headers['authorization'] ?? '').split(' ');
    return scheme === 'Bearer' && this.ledger.isAlive(token) && Object.keys(headers).length === 1 + rest.length;
  }

  private answer(request: ReceivedRequest): FakeAnswer {
    const at = `${request.headers[WHERE] ?? ''}${request.path}`;
    const { authorize, token, account, revoke } = this.rules;
    try {
      if (at === authorize.at && request.method === 'GET') return this.authorize(request.query);
      if (at === token.at && request.method === 'POST') return this.token(request);
      if (at === account?.at && request.method === account.method) return this.account(request);
      if (at === revoke?.at && request.method === revoke.method) return this.revoke(request, revoke);
      throw new NotAsDocumented(`nothing is documented at ${request.method} ${at}`);
    } catch (error) {
      if (error instanceof NotAsDocumented) return { status: 418, body: error.message };
      throw error;
    }
  }

  private authorize(query: URLSearchParams): FakeAnswer {
    const { pkce, scopes, parameters } = this.rules.authorize;
    const { clientId, redirectUri } = this.options;
    const asked = fieldsOf(query);
    const given = asked[scopes.parameter]?.split(scopes.separator) ?? [];
    const isNamed = given.every((scope) => scopes.taken.includes(scope)) && new Set(given).size === given.length;
    if (!isNamed) throw new NotAsDocumented(`these are no scopes: ${given.join(' | ')}`);
    const { code_challenge: challenge, state = '' } = asked;
    const fixed = {
      ...parameters,
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      state,
      ...(scopes.taken.length === 0 ? {} : { [scopes.parameter]: given.join(scopes.separator) }),
      ...(pkce === 'refused' ? {} : { code_challenge: challenge ?? 'missing', code_challenge_method: 'S256' }),
    };
    mustEqual(asked, fixed, 'authorization request');
    const code = this.ledger.code({ redirectUri, challenge, scopes: given });
    const to = new URL(redirectUri);
    to.searchParams.set('code', code);
    to.searchParams.set('state', state);
    return { status: 302, headers: { location: to.href }, body: '' };
  }

  private token(request: ReceivedRequest): FakeAnswer {
    const { rules } = this;
    const { grant_type: grant, ...fields } = bodyFields(request, rules.token.body);
    mustHave(request.headers, { accept: 'application/json', ...rules.token.headers });
    const proof = proven(request, fields, rules.token.authentication, this.options);
    if (!proof) return rules.token.failure('client');
    if (grant === 'authorization_code') return this.first(fields);
    if (grant === 'refresh_token' && rules.refresh.gives !== 'no-refresh-token') return this.refresh(fields);
    if (grant !== undefined && grant === rules.exchange?.grant) return this.exchange(fields, rules.exchange);
    throw new NotAsDocumented(`the grant ${grant ?? 'of no name'} is not documented`);
  }

  private first(fields: Record<string, string>): FakeAnswer {
    const { token, authorize, refresh } = this.rules;
    const { code = '', code_verifier: verifier = '' } = fields;
    const pkce: Record<string, string> = authorize.pkce === 'demanded' ? { code_verifier: verifier } : {};
    mustEqual(fields, { code, redirect_uri: this.options.redirectUri, ...pkce }, 'code exchange');
    const held = this.ledger.takeCode(code);
    if (held === undefined) return token.failure('code');
    if (held.challenge !== undefined && s256(verifier) !== held.challenge) return token.failure('code');
    const consent = this.ledger.consent(held.scopes, refresh.gives !== 'no-refresh-token');
    return fakeJson(200, token.answer({ ...issued(consent), grant: 'first' }));
  }

  private refresh(fields: Record<string, string>): FakeAnswer {
    const { token, refresh } = this.rules;
    const { refresh_token: used = '' } = fields;
    const redirect: Record<string, string> =
      token.refreshNamesRedirect === true ? { redirect_uri: this.options.redirectUri } : {};
    mustEqual(fields, { refresh_token: used, ...redirect }, 'refresh');
    const consent = this.ledger.byRefresh(used, refresh.toleranceMs);
    if (consent === undefined) return token.failure('refresh');
    this.ledger.refresh(consent, used, refresh.gives);
    const pair = issued(consent);
    const refreshToken = refresh.gives === 'access-only' ? undefined : pair.refreshToken;
    return fakeJson(200, token.answer({ ...pair, refreshToken, grant: 'refresh' }));
  }

  private exchange(fields: Record<string, string>, exchange: NonNullable<FakeProviderRules['exchange']>): FakeAnswer {
    const { [exchange.subject]: token = '', scope = '', ...rest } = fields;
    mustEqual(rest, exchange.fields, 'exchange');
    if (scope === '') throw new NotAsDocumented('an exchange names its scope');
    if (!this.ledger.isAlive(token)) return this.rules.token.failure('code');
    const { accessToken } = issued(this.ledger.consent(scope.split(' '), false));
    const answered = { accessToken, refreshToken: undefined, scopes: scope.split(' '), grant: 'first' as const };
    return fakeJson(200, this.rules.token.answer(answered));
  }

  private account(request: ReceivedRequest): FakeAnswer {
    const { account, callHeaders } = this.rules;
    mustHave(request.headers, { ...account?.headers, ...callHeaders });
    if ((account?.body ?? '') !== request.body) throw new NotAsDocumented('another body than is documented');
    return this.ledger.isAlive(bearerOf(request)) ? fakeJson(200, account?.answer) : fakeJson(401, {});
  }

  private revoke(request: ReceivedRequest, revoke: NonNullable<FakeProviderRules['revoke']>): FakeAnswer {
    const { token_type_hint: _hint, ...fields } =
      revoke.body === undefined ? {} : bodyFields(request, revoke.body.format);
    mustHave(request.headers, revoke.headers ?? {});
    const { client_id: _id, client_secret: _secret, ...withoutClient } = fields;
    const bare = revoke.proof === 'none' ? fields : withoutClient;
    if (revoke.proof === 'bearer') {
      if (!this.ledger.isAlive(bearerOf(request))) return fakeJson(401, {});
    } else if (revoke.proof !== 'none' && !proven(request, fields, revoke.proof, this.options)) {
      return fakeJson(401, { error: 'invalid_client' });
    }
    const token = revoke.body === undefined ? bearerOf(request) : (bare[revoke.body.field] ?? '');
    if (revoke.body !== undefined) mustEqual(bare, { [revoke.body.field]: token }, 'revocation');
    return revoke.answer(this.ledger.revoke(token, revoke.endsBoth));
  }
}

function issued(consent: { access: string | undefined; refresh: string | undefined; scopes: readonly string[] }) {
  return { accessToken: consent.access ?? '', refreshToken: consent.refresh, scopes: consent.scopes };
}

function bearerOf(request: ReceivedRequest): string {
  return /^Bearer (\S+)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
}

/** Whether the client's proof is right. @throws NotAsDocumented for a proof of another kind; it is taken out of fields */
function proven(
  request: ReceivedRequest,
  fields: Record<string, string>,
  kind: 'basic' | 'post',
  { clientId, clientSecret }: FakeProviderOptions,
): boolean {
  const { authorization } = request.headers;
  const inBody = fields['client_id'] !== undefined || fields['client_secret'] !== undefined;
  if (kind === 'basic') {
    if (authorization?.startsWith('Basic ') !== true || inBody)
      throw new NotAsDocumented('the client proves itself otherwise');
    return authorization.slice(6) === Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  }
  if (authorization !== undefined || !inBody) throw new NotAsDocumented('the client proves itself otherwise');
  const isRight = fields['client_id'] === clientId && fields['client_secret'] === clientSecret;
  delete fields['client_id'];
  delete fields['client_secret'];
  return isRight;
}

function bodyFields(request: ReceivedRequest, format: 'form' | 'json'): Record<string, string> {
  const type = format === 'form' ? 'application/x-www-form-urlencoded' : 'application/json';
  if (request.headers['content-type'] !== type) throw new NotAsDocumented(`the body is to be ${type}`);
  if (request.query.size > 0) throw new NotAsDocumented('parameters stand in the URL');
  if (format === 'form') return fieldsOf(new URLSearchParams(request.body));
  return JSON.parse(request.body) as Record<string, string>;
}

function fieldsOf(parameters: URLSearchParams): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of parameters) {
    if (Object.hasOwn(fields, name)) throw new NotAsDocumented(`${name} stands there twice`);
    fields[name] = value;
  }
  return fields;
}

function mustEqual(has: Record<string, string>, wants: Record<string, string>, what: string): void {
  const text = (fields: Record<string, string>) =>
    JSON.stringify(Object.entries(fields).toSorted(([a], [b]) => a.localeCompare(b)));
  if (text(has) !== text(wants)) throw new NotAsDocumented(`${what}: ${text(has)} is not ${text(wants)}`);
}

function mustHave(headers: Readonly<Record<string, string>>, wants: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(wants))
    if (headers[name] !== value) throw new NotAsDocumented(`the header ${name} is to be ${value}`);
}

function s256(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}
