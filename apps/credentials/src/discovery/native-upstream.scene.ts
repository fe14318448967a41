import { createHash, type JsonWebKey, randomBytes } from 'node:crypto';
import { FakeReceiver, fakeJson, type FakeAnswer, readAssertion, type ReceivedRequest } from '@warder/testing';

interface KnownClient {
  readonly redirectUris: readonly string[];
  readonly method: string;
  readonly secret?: string;
  readonly jwksUri?: string;
}

interface Grant {
  access: string;
  refresh: string;
}

/**
 * An MCP server and its authorization server, at two addresses, that take nothing but what the specification says: S256, the
 * resource in each request, one use of each code and refresh token, a client that is registered or whose document says what
 * its URL promises, and `iss` in each answer. What was not so stands in `refusals`.
 */
export class NativeUpstream {
  readonly refusals: string[] = [];
  grants: Grant[] = [];
  readonly clients = new Map<string, KnownClient>();
  /** Written over what the two say of themselves. */
  resourceChange: object = {};
  serverChange: object = {};
  /** In place of the answer to a registration. */
  registration: FakeAnswer | undefined;
  scope: string | undefined = 'read';
  mcp!: FakeReceiver;
  login!: FakeReceiver;
  private readonly codes = new Map<string, { challenge: string; redirectUri: string; clientId: string }>();
  private readonly assertions = new Set<string>();

  static async start(): Promise<NativeUpstream> {
    const native = new NativeUpstream();
    native.mcp = await FakeReceiver.start((request) => native.answerMcp(request));
    native.login = await FakeReceiver.start((request) => native.answerLogin(request));
    return native;
  }

  async stop(): Promise<void> {
    await this.mcp.stop();
    await this.login.stop();
  }

  get url(): string {
    return `${this.mcp.url}/mcp`;
  }

  get hosts(): string[] {
    return [this.mcp, this.login].map(({ url }) => new URL(url).host);
  }

  get registered(): string[] {
    return [...this.clients.keys()].filter((id) => id.startsWith('dyn-'));
  }

  /** As the server does that reads a client's document before its page is shown (draft-ietf-oauth-client-id-metadata-document). */
  async readDocument(clientId: string): Promise<void> {
    const document = (await (await fetch(clientId, { redirect: 'error' })).json()) as Record<string, unknown>;
    if (document['client_id'] !== clientId) return this.refuse('the document is of another client');
    this.clients.set(clientId, {
      redirectUris: document['redirect_uris'] as string[],
      method: String(document['token_endpoint_auth_method']),
      jwksUri: String(document['jwks_uri']),
    });
    const { keys } = (await (await fetch(String(document['jwks_uri']))).json()) as { keys: JsonWebKey[] };
    this.keys = keys;
  }
  private keys: readonly JsonWebKey[] = [];

  private answerMcp({ path }: ReceivedRequest): FakeAnswer {
    const metadata = `${this.mcp.url}/.well-known/oauth-protected-resource/mcp`;
    if (path === '/mcp') {
      const scope = this.scope === undefined ? '' : `, scope="${this.scope}"`;
      return {
        status: 401,
        headers: { 'www-authenticate': `Bearer resource_metadata="${metadata}"${scope}` },
        body: '',
      };
    }
    if (path !== new URL(metadata).pathname) return { status: 404, body: '' };
    return fakeJson(200, { resource: this.url, authorization_servers: [this.login.url], ...this.resourceChange });
  }

  private answerLogin(request: ReceivedRequest): FakeAnswer {
    const { path, method, body, query } = request;
    const at = (place: string): string => `${this.login.url}${place}`;
    if (path === '/.well-known/oauth-authorization-server')
      return fakeJson(200, {
        issuer: this.login.url,
        authorization_endpoint: at('/authorize'),
        token_endpoint: at('/token'),
        registration_endpoint: at('/register'),
        revocation_endpoint: at('/revoke'),
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic'],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
        ...this.serverChange,
      });
    if (path === '/register' && method === 'POST') return this.registration ?? this.register(body);
    if (path === '/authorize') return this.authorize(query);
    const form = new URLSearchParams(body);
    if (path !== '/token' && path !== '/revoke') return { status: 404, body: '' };
    const client = this.clientOf(request, form, at('/token'));
    if (client === undefined) return this.refusal(401, 'invalid_client', 'the client did not prove itself');
    if (path === '/token') return this.token(form, client);
    const token = form.get('token') ?? '';
    this.grants = this.grants.filter(({ access, refresh }) => access !== token && refresh !== token);
    return { status: 200, body: '' };
  }

  private register(body: string): FakeAnswer {
    const asked = JSON.parse(body) as Record<string, unknown>;
    const [id, secret] = [`dyn-${randomBytes(6).toString('hex')}`, `secret-canary-${randomBytes(12).toString('hex')}`];
    const redirectUris = asked['redirect_uris'] as string[];
    this.clients.set(id, { redirectUris, method: String(asked['token_endpoint_auth_method']), secret });
    return fakeJson(201, { ...asked, client_id: id, client_secret: secret, client_secret_expires_at: 0 });
  }

  private authorize(query: URLSearchParams): FakeAnswer {
    const clientId = query.get('client_id') ?? '';
    const redirectUri = query.get('redirect_uri') ?? '';
    const known = this.clients.get(clientId);
    if (known?.redirectUris.includes(redirectUri) !== true)
      return this.refusal(400, 'invalid_request', 'no client of ours with this address');
    const challenge = query.get('code_challenge') ?? '';
    if (query.get('code_challenge_method') !== 'S256' || challenge.length !== 43 || query.get('resource') !== this.url)
      return this.refusal(400, 'invalid_request', 'no S256 or another resource');
    const code = randomBytes(12).toString('hex');
    this.codes.set(code, { challenge, redirectUri, clientId });
    const to = new URL(redirectUri);
    for (const [name, value] of Object.entries({ code, state: query.get('state') ?? '', iss: this.login.url }))
      to.searchParams.set(name, value);
    return { status: 303, headers: { location: to.href }, body: '' };
  }

  private clientOf({ headers }: ReceivedRequest, form: URLSearchParams, endpoint: string): string | undefined {
    const id = form.get('client_id') ?? '';
    const assertion = form.get('client_assertion');
    if (assertion !== null) {
      const rules = { typ: 'JWT', issuer: id, subject: id, audience: this.login.url, secondsMax: 60 };
      try {
        readAssertion(assertion, this.keys, rules, this.assertions);
        return this.clients.get(id)?.method === 'private_key_jwt' ? id : undefined;
      } catch (error) {
        this.refuse(`${endpoint}: ${String(error)}`);
        return undefined;
      }
    }
    for (const [known, { secret, method }] of this.clients) {
      const proof = Buffer.from(`${known}:${secret}`).toString('base64');
      if (method === 'client_secret_basic' && headers['authorization'] === `Basic ${proof}`) return known;
    }
    return undefined;
  }

  private token(form: URLSearchParams, clientId: string): FakeAnswer {
    if (form.get('resource') !== this.url) return this.refusal(400, 'invalid_target', 'a token without the resource');
    const refresh = form.get('refresh_token');
    const used = this.grants.find((grant) => grant.refresh === refresh);
    if (form.get('grant_type') === 'authorization_code') {
      const code = this.codes.get(form.get('code') ?? '');
      this.codes.delete(form.get('code') ?? '');
      const verifier = createHash('sha256').update(form.get('code_verifier') ?? '');
      const isIt = code?.challenge === verifier.digest('base64url') && code.clientId === clientId;
      if (!isIt || code.redirectUri !== form.get('redirect_uri'))
        return this.refusal(400, 'invalid_grant', 'the code is of somebody else');
    } else if (used === undefined) return this.refusal(400, 'invalid_grant', 'the refresh token was used');
    const grant = used ?? { access: '', refresh: '' };
    grant.access = `at-canary-${randomBytes(9).toString('hex')}`;
    grant.refresh = `rt-canary-${randomBytes(9).toString('hex')}`;
    if (used === undefined) this.grants.push(grant);
    const tokens = { access_token: grant.access, refresh_token: grant.refresh };
    return fakeJson(200, { ...tokens, token_type: 'Bearer', expires_in: 3_600, scope: this.scope ?? '' });
  }

  private refusal(status: number, error: string, why: string): FakeAnswer {
    this.refuse(why);
    return fakeJson(status, { error });
  }

  private refuse(why: string): void {
    this.refusals.push(why);
  }
}
