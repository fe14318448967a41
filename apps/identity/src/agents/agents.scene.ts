import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AccessTokens, Callers, PrincipalDirectory } from '@warder/tokens';
import { exportJWK, SignJWT } from 'jose';
import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import { IdentityScene, PEPPER } from '../identity.scene.js';

/** Somebody elsewhere who signs tokens and publishes the keys: a company's provider, a SPIFFE server, a cluster. */
export class Signer {
  private pair: { publicKey: KeyObject; privateKey: KeyObject };
  private kid = randomUUID();
  fetches = 0;
  private readonly server: Server;

  /**
   * @param use - of its keys, as it publishes them; undefined: it does not say
   * @param alg - by which it signs
   */
  constructor(
    private readonly use: string | undefined = 'sig',
    private readonly alg: 'ES256' | 'RS256' = 'ES256',
  ) {
    this.pair = pairFor(alg);
    this.server = createServer((request, response) => {
      this.fetches += 1;
      if (request.url !== '/keys') return void response.writeHead(404).end();
      void this.publicJwk().then((jwk) => {
        const certificate = { kty: 'EC', use: 'x509-svid', crv: 'P-256', x: 'x', y: 'y' };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ keys: [certificate, { ...jwk, use: this.use }] }));
      });
    });
  }

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => this.server.once('listening', resolve));
    return this;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get issuer(): string {
    return `http://${this.host}`;
  }

  async publicJwk(): Promise<object> {
    return { ...(await exportJWK(this.pair.publicKey)), kid: this.kid, alg: this.alg };
  }

  /** Signs with another key from now on, and publishes that one alone. */
  rotate(): void {
    this.pair = pairFor(this.alg);
    this.kid = randomUUID();
  }

  sign(claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
    const nowS = Math.floor(Date.now() / 1_000);
    return new SignJWT({ iat: nowS, exp: nowS + 300, jti: randomUUID(), ...claims })
      .setProtectedHeader({ alg: this.alg, kid: this.kid, ...header })
      .sign(this.pair.privateKey);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function pairFor(alg: 'ES256' | 'RS256'): { publicKey: KeyObject; privateKey: KeyObject } {
  return alg === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2_048 });
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in: number;
  readonly issued_token_type?: string;
  readonly error: string;
}

/** Identity with agents, and the virtual servers `dev` and `ops`. */
export class AgentsScene {
  private constructor(readonly identity: IdentityScene) {}

  /** @param agents - of identity's configuration; `more` beside it */
  static async start(agents: object, more: object = {}): Promise<AgentsScene> {
    const identity = await IdentityScene.create();
    await identity.start({ agents, ...more });
    const scene = new AgentsScene(identity);
    await scene.publishServers();
    return scene;
  }

  get origin(): string {
    return this.identity.running!.url;
  }

  resource(server = 'dev'): string {
    return `${this.origin}/mcp/${server}`;
  }

  async publishServers(): Promise<void> {
    const document = PolicyDocument.parse({ virtualServers: { dev: { tools: [] }, ops: { tools: [] } }, grants: [] });
    const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
    await this.identity.bus.ensureTopics([policySnapshotTopic]);
    await this.identity.bus.publish(policySnapshotTopic, 'current', snapshot);
  }

  async person(name: string, groups: readonly string[] = ['developers']): Promise<string> {
    const { body } = await this.identity.ask('POST', '/principals', { name, email: `${name}@example.com`, groups });
    return body.id;
  }

  async serviceAccount(ownerId: string, name = 'triage-bot'): Promise<string> {
    const { body } = await this.identity.ask('POST', '/service-accounts', { name, team: 'platform', ownerId });
    return body.id;
  }

  async secret(id: string, more: object = {}): Promise<{ id: string; secret: string }> {
    const { body } = await this.identity.ask('POST', `/service-accounts/${id}/secrets`, { name: 'ci', ...more });
    return body as unknown as { id: string; secret: string };
  }

  /** Asks the token endpoint; a client secret goes by HTTP Basic. */
  async token(
    form: Record<string, string>,
    basic?: { readonly id: string; readonly secret: string },
  ): Promise<{ status: number; body: TokenAnswer }> {
    const authorization = basic && `Basic ${Buffer.from(`${basic.id}:${basic.secret}`).toString('base64')}`;
    const response = await fetch(`${this.origin}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: authorization === undefined ? {} : { authorization },
    });
    return { status: response.status, body: (await response.json()) as TokenAnswer };
  }

  clientCredentials(id: string, secret: string, server = 'dev'): ReturnType<AgentsScene['token']> {
    return this.token({ grant_type: 'client_credentials', resource: this.resource(server) }, { id, secret });
  }

  /** What an ingress node says of a bearer, by what identity told the bus. */
  atIngress(bearer: string, server = 'dev'): ReturnType<Callers['examine']> {
    const callers = new Callers(new PrincipalDirectory({ p1: PEPPER }), new AccessTokens(() => this.origin));
    for (const [id, state] of this.identity.principals) callers.applyPrincipal(id, state);
    for (const [id, state] of this.identity.signingKeys) callers.applyKey(id, state);
    for (const [id, state] of this.identity.grants) callers.applyGrant(id, state);
    return callers.examine(bearer, this.resource(server), this.identity.nowMs(), '127.0.0.1');
  }

  close(): Promise<void> {
    return this.identity.close();
  }
}
