import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a provider does otherwise than others; each is documented of one in the catalogue. */
export interface ProviderHabits {
  /** A refresh ends the access token of before (GitHub, Sentry). */
  readonly killsAccess?: boolean;
  /** A refresh brings no refresh token, and the one before stays. */
  readonly keepsRefresh?: boolean;
  /** Tokens cannot be ended there (Atlassian, Sentry). */
  readonly hasNoRevocation?: boolean;
}

interface Grant {
  readonly account: string;
  /** Access tokens that are good, and until when (wall milliseconds). */
  readonly alive: Map<string, number>;
  refresh: string;
  /** When it was refreshed; wall milliseconds. */
  readonly refreshedAtMs: number[];
}

const LIFE_S = 30;

/**
 * An authorization server that asks a person which of their accounts they give, and takes nothing but PKCE, one use of each
 * code and refresh token, and its own client's secret. Its tokens live 30 s. A used refresh token ends the grant.
 */
export class StrictProvider {
  readonly clientId: string;
  readonly clientSecret = `secret-canary-${randomBytes(12).toString('hex')}`;
  /** Every token that it ever gave. */
  readonly given: string[] = [];
  private readonly grants: Grant[] = [];
  private readonly codes = new Map<string, { challenge: string; redirectUri: string; account: string }>();

  private constructor(
    readonly id: string,
    private readonly server: Server,
    private readonly habits: ProviderHabits,
  ) {
    this.clientId = `warder-at-${id}`;
    server.on('request', (request, response) => void this.answer(request, response));
  }

  static async start(id: string, habits: ProviderHabits): Promise<StrictProvider> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new StrictProvider(id, server, habits);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get refreshes(): number {
    return this.grants.reduce((sum, { refreshedAtMs }) => sum + refreshedAtMs.length, 0);
  }

  /** When an account's token was refreshed; wall milliseconds. */
  refreshesOf(account: string): readonly number[] {
    return this.grants.flatMap((grant) => (grant.account === account ? grant.refreshedAtMs : []));
  }

  /** Parameters of the catalogue's entry `internal-oauth`. */
  get parameters(): Record<string, string> {
    return {
      authorization_endpoint: `${this.origin}/authorize`,
      token_endpoint: `${this.origin}/token`,
      userinfo_endpoint: `${this.origin}/userinfo`,
      ...(this.habits.hasNoRevocation === true ? {} : { revocation_endpoint: `${this.origin}/revoke` }),
    };
  }

  /** Whose token it is, while it is good. */
  accountOf(token: string): string | undefined {
    const grant = this.grants.find(({ alive }) => alive.has(token));
    return grant !== undefined && (grant.alive.get(token) ?? 0) > Date.now() ? grant.account : undefined;
  }

  /** Tokens of an account that are still good for something; none where they cannot be ended there. */
  livingOf(account: string): number {
    if (this.habits.hasNoRevocation === true) return 0;
    const grants = this.grants.filter((grant) => grant.account === account);
    return grants.filter(({ alive, refresh }) => refresh !== '' || alive.size > 0).length;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const { pathname } = url;
    if (pathname === '/authorize' && request.method === 'GET') return this.ask(url.searchParams, response);
    if (pathname === '/agree' && request.method === 'POST') return this.agree(form, response);
    if (pathname === '/userinfo') {
      const account = this.accountOf(/^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
      if (account === undefined) return json(response, 401, {});
      return json(response, 200, { sub: `id-${account}`, preferred_username: account });
    }
    const proof = Buffer.from(`${this.clientId}:${this.clientSecret}`).toString('base64');
    if (request.headers.authorization !== `Basic ${proof}`) return json(response, 401, { error: 'invalid_client' });
    if (pathname === '/revoke' && this.habits.hasNoRevocation !== true) {
      this.revoke(form.get('token') ?? '');
      return json(response, 200, {});
    }
    if (pathname !== '/token') return json(response, 404, {});
    const answer = form.get('grant_type') === 'refresh_token' ? this.refresh(form) : this.redeem(form);
    json(response, 'error' in answer ? 400 : 200, answer);
  }

  /** The page on which the person says which account they give. */
  private ask(query: URLSearchParams, response: ServerResponse): void {
    const isWhole = query.get('code_challenge_method') === 'S256' && query.get('client_id') === this.clientId;
    if (!isWhole) return json(response, 418, { error: 'not as documented' });
    const kept = ['state', 'redirect_uri', 'code_challenge'].map(
      (name) => `<input type="hidden" name="${name}" value="${query.get(name) ?? ''}">`,
    );
    const page = `<h1>${this.id}</h1><form method="post" action="/agree">${kept.join('')}
      <label>Account <input name="account"></label><button>Authorize</button></form>`;
    response.writeHead(200, { 'content-type': 'text/html' }).end(page);
  }

  private agree(form: URLSearchParams, response: ServerResponse): void {
    const code = `code-${randomBytes(9).toString('hex')}`;
    const redirectUri = form.get('redirect_uri') ?? '';
    const account = form.get('account') ?? '';
    this.codes.set(code, { challenge: form.get('code_challenge') ?? '', redirectUri, account });
    const to = new URL(redirectUri);
    to.searchParams.set('code', code);
    to.searchParams.set('state', form.get('state') ?? '');
    response.writeHead(303, { location: to.href }).end();
  }

  private redeem(form: URLSearchParams): object {
    const code = form.get('code') ?? '';
    const known = this.codes.get(code);
    this.codes.delete(code);
    const verifier = createHash('sha256').update(form.get('code_verifier') ?? '');
    if (known?.challenge !== verifier.digest('base64url') || known.redirectUri !== form.get('redirect_uri'))
      return { error: 'invalid_grant' };
    const grant: Grant = { account: known.account, alive: new Map(), refresh: this.fresh('rt'), refreshedAtMs: [] };
    this.grants.push(grant);
    return this.issued(grant, true);
  }

  private refresh(form: URLSearchParams): object {
    const used = form.get('refresh_token') ?? '';
    const grant = this.grants.find(({ refresh }) => refresh !== '' && refresh === used);
    if (grant === undefined) return { error: 'invalid_grant' };
    grant.refreshedAtMs.push(Date.now());
    const { killsAccess, keepsRefresh } = this.habits;
    if (killsAccess === true) grant.alive.clear();
    if (keepsRefresh !== true) grant.refresh = this.fresh('rt');
    return this.issued(grant, keepsRefresh !== true);
  }

  private issued(grant: Grant, hasRefresh: boolean): object {
    const token = this.fresh('at');
    grant.alive.set(token, Date.now() + LIFE_S * 1_000);
    const refresh = hasRefresh ? { refresh_token: grant.refresh } : {};
    return { access_token: token, token_type: 'Bearer', expires_in: LIFE_S, ...refresh };
  }

  private revoke(token: string): void {
    for (const grant of this.grants) {
      grant.alive.delete(token);
      if (grant.refresh !== token) continue;
      grant.refresh = '';
      grant.alive.clear();
    }
  }

  private fresh(kind: 'at' | 'rt'): string {
    const token = `${kind}-canary-${randomBytes(15).toString('hex')}`;
    this.given.push(token);
    return token;
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
