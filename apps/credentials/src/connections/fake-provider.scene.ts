import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the fake does with the next token request, once, instead of answering it. */
export type Trouble =
  | { readonly status: number; readonly body: object; readonly retryAfter?: string }
  /** The request is taken and acted upon, and the answer never comes. */
  | 'act-and-hang-up'
  /** The connection ends before anything was done. */
  | 'hang-up';

interface Grant {
  readonly account: string;
  access: string;
  refresh: string;
  isRevoked: boolean;
}

const CLIENT = { id: 'warder-client', secret: 'warder-secret-canary-77aa' };

/**
 * An authorization server that takes nothing but what its documents say: PKCE, one use of each code and refresh token,
 * the client's secret in the one way. A second use of a refresh token ends the grant, and a refresh ends the access token
 * of before, as at GitHub.
 */
export class FakeProvider {
  readonly client = CLIENT;
  account = 'ana-at-fake';
  lifetimeS: number | undefined = 3_600;
  troubles: Trouble[] = [];
  /** Bodies of token requests, in their order. */
  readonly tokenRequests: URLSearchParams[] = [];
  readonly revocations: URLSearchParams[] = [];
  grants: Grant[] = [];
  /** Runs before a token request is answered. */
  gate: () => Promise<void> = async () => {};
  /** Runs when a token request was acted on and is not answered yet. */
  late: (form: URLSearchParams) => Promise<void> = async () => {};
  /** Named in the answer of the authorization endpoint. */
  iss: string | undefined;
  /** The redirect URIs that our client is registered with; undefined: any. */
  registered: readonly string[] | undefined;
  /** Where it sends visitors on to instead of asking them: a provider that wants another's code. */
  sendsOnTo: ((query: URLSearchParams) => URL) | undefined;
  /** Whether a refresh brings a new refresh token. */
  rotates = true;
  private readonly codes = new Map<string, { challenge: string; redirectUri: string; account: string }>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeProvider> {
    const server = createServer();
    const fake = new FakeProvider(server);
    server.on('request', (request, response) => void fake.answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get host(): string {
    return new URL(this.origin).host;
  }

  /** Parameters of the catalogue's internal-oauth. */
  get parameters(): Record<string, string> {
    return {
      authorization_endpoint: `${this.origin}/authorize`,
      token_endpoint: `${this.origin}/token`,
      revocation_endpoint: `${this.origin}/revoke`,
      userinfo_endpoint: `${this.origin}/userinfo`,
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Whose token it is, while it is good. */
  accountOf(accessToken: string): string | undefined {
    return this.grants.find(({ access, isRevoked }) => access === accessToken && !isRevoked)?.account;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    if (url.pathname === '/authorize') return this.authorize(url.searchParams, response);
    if (url.pathname === '/userinfo') {
      const account = this.accountOf(request.headers.authorization?.replace('Bearer ', '') ?? '');
      if (account === undefined) return json(response, 401, {});
      return json(response, 200, { sub: `id-${account}`, preferred_username: account });
    }
    if (request.headers.authorization !== `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`)
      return json(response, 401, { error: 'invalid_client' });
    if (url.pathname === '/revoke') {
      this.revocations.push(form);
      const token = form.get('token');
      for (const grant of this.grants) if (grant.refresh === token || grant.access === token) grant.isRevoked = true;
      return json(response, 200, {});
    }
    this.tokenRequests.push(form);
    await this.gate();
    const trouble = this.troubles.shift();
    if (trouble === 'hang-up') return void request.socket.destroy();
    if (typeof trouble === 'object') {
      if (trouble.retryAfter !== undefined) response.setHeader('retry-after', trouble.retryAfter);
      return json(response, trouble.status, trouble.body);
    }
    const granted = this.grant(form);
    await this.late(form);
    if (trouble === 'act-and-hang-up') return void request.socket.destroy();
    json(response, 'error' in granted ? 400 : 200, granted);
  }

  private authorize(query: URLSearchParams, response: ServerResponse): void {
    if (this.sendsOnTo !== undefined)
      return void response.writeHead(303, { location: this.sendsOnTo(query).href }).end();
    const code = randomBytes(12).toString('hex');
    const redirectUri = query.get('redirect_uri') ?? '';
    if (this.registered?.includes(redirectUri) === false) return json(response, 400, { error: 'invalid_request' });
    this.codes.set(code, { challenge: query.get('code_challenge') ?? '', redirectUri, account: this.account });
    const to = new URL(redirectUri);
    to.searchParams.set('code', code);
    to.searchParams.set('state', query.get('state') ?? '');
    if (this.iss !== undefined) to.searchParams.set('iss', this.iss);
    response.writeHead(303, { location: to.href }).end();
  }

  private grant(form: URLSearchParams): object {
    const type = form.get('grant_type');
    if (type === 'client_credentials')
      return this.issue({ account: 'warder', access: '', refresh: '', isRevoked: false }, false);
    if (type === 'authorization_code') {
      const known = this.codes.get(form.get('code') ?? '');
      this.codes.delete(form.get('code') ?? '');
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (known?.challenge !== challenge || known.redirectUri !== form.get('redirect_uri'))
        return { error: 'invalid_grant' };
      return this.issue({ account: known.account, access: '', refresh: '', isRevoked: false }, true);
    }
    const refresh = form.get('refresh_token') ?? '';
    const used = this.grants.find((grant) => grant.refresh === refresh && !grant.isRevoked);
    const [family = ''] = refresh.split('.');
    if (used === undefined) {
      // A token that was used before: whoever has it may be a thief.
      for (const grant of this.grants) if (grant.refresh.startsWith(`${family}.`)) grant.isRevoked = true;
      return { error: 'invalid_grant' };
    }
    return this.issue(used, true);
  }

  private issue(grant: Grant, hasRefresh: boolean): object {
    const [family = ''] = grant.refresh.split('.');
    const isNew = grant.refresh === '';
    grant.access = `at-canary-${randomBytes(9).toString('hex')}`;
    if (isNew || this.rotates)
      grant.refresh = `${isNew ? `rt-canary-${randomBytes(6).toString('hex')}` : family}.${randomBytes(6).toString('hex')}`;
    if (!this.grants.includes(grant)) this.grants.push(grant);
    return {
      access_token: grant.access,
      token_type: 'Bearer',
      ...(this.lifetimeS === undefined ? {} : { expires_in: this.lifetimeS }),
      ...(hasRefresh && (isNew || this.rotates) ? { refresh_token: grant.refresh } : {}),
    };
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
