import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export const COMPANY_SECRET = 'a-secret-that-the-company-gave-to-warder';

/** The company's own provider, as it would run elsewhere: people, a client for Warder, keys. */
export class Company {
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  /** Where it listens, or did. */
  port = 0;
  private answer: RequestListener = (_, response) => response.writeHead(503).end();
  /** Paths that it was asked for. */
  readonly asked: string[] = [];
  /** Parameters of a request to sign in that it takes no notice of. */
  ignored: readonly string[] = [];
  /** When people signed in, as it says in place of the truth; seconds since the epoch. */
  authTimeS: number | undefined;
  /** What it says of itself, in place of the truth. */
  metadata: object | undefined;
  private readonly server: Server = createServer((request, response) => {
    this.asked.push(request.url ?? '');
    const url = new URL(request.url ?? '/', this.issuer);
    for (const name of this.ignored) url.searchParams.delete(name);
    if (this.ignored.length > 0) request.url = `${url.pathname}${url.search}`;
    const isMetadata = request.url === '/.well-known/openid-configuration';
    if (this.metadata === undefined || !isMetadata) return this.answer(request, response);
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(this.metadata));
  });

  /** @param people - claims by subject */
  constructor(readonly people: Record<string, object>) {}

  async listen(port = 0): Promise<void> {
    this.server.listen(port, '127.0.0.1');
    await new Promise((resolve) => this.server.once('listening', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Begins to answer for a Warder at this origin. @param id - of the provider there */
  serve(warder: string, id = 'corp'): void {
    const idp = new Provider(this.issuer, {
      clients: [
        {
          client_id: 'warder',
          client_secret: COMPANY_SECRET,
          redirect_uris: [`${warder}/sign-in/callback/${id}`],
          token_endpoint_auth_method: 'client_secret_post',
          grant_types: ['authorization_code', 'refresh_token'],
        },
      ],
      jwks: {
        keys: [{ ...this.keys.privateKey.export({ format: 'jwk' }), kid: 'r1', alg: 'RS256', use: 'sig' } as never],
      },
      cookies: { keys: ['a-cookie-key-of-the-company'] },
      conformIdTokenClaims: false,
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
      // Who is not there any more is no account, as of a user who was disabled.
      findAccount: (_, sub, token) => {
        if (token !== undefined && 'authTime' in token && this.authTimeS !== undefined) token.authTime = this.authTimeS;
        return Object.hasOwn(this.people, sub)
          ? { accountId: sub, claims: async () => ({ sub, ...this.people[sub] }) }
          : undefined;
      },
      // As most providers, and unlike the library by itself, it gives them without a consent of its own.
      issueRefreshToken: async () => true,
      expiresWithSession: async () => false,
      rotateRefreshToken: true,
    });
    const handle = idp.callback();
    this.answer = (request, response) => void handle(request, response);
  }

  /** Answers everything with this status. @returns how it answers as before again */
  fail(status: number): () => void {
    const { answer } = this;
    this.answer = (_, response) => response.writeHead(status).end();
    return () => (this.answer = answer);
  }

  /** A logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4), with whatever is wrong with it. */
  logoutToken(claims: object, header: object = {}, key = this.keys.privateKey): string {
    const nowS = Math.floor(Date.now() / 1_000);
    const whole = {
      iss: this.issuer,
      aud: 'warder',
      iat: nowS,
      exp: nowS + 120,
      jti: `${nowS}-${Math.random()}`,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      ...claims,
    };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'RS256', typ: 'logout+jwt', kid: 'r1', ...header })}.${part(whole)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
