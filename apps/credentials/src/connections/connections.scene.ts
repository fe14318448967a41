import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInProcessBus, type Bus } from '@warder/bus';
import {
  type AuditRecord,
  auditRecordedTopic,
  type ConnectionState,
  type LeaseGranted,
  leaseGrantedTopic,
  type NodeAnnounced,
  nodeAnnouncedTopic,
  type NodeEnrolled,
  nodeEnrolledTopic,
  connectionStateTopic,
  PolicyDocument,
  policySnapshotTopic,
  principalStateTopic,
  signingKeyStateTopic,
  tokenStateTopic,
  type UpstreamAuthState,
  upstreamAuthStateTopic,
} from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import { DataSource } from 'typeorm';
import { credentialsService } from '../index.js';
import type { ConnectionView } from './connections.store.js';
import type { FakeProvider } from './fake-provider.scene.js';
import type { ProviderView } from './providers.store.js';

export const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const log = createLogger('test', { level: 'silent' });

/** What the doors answer; each fills its own part. */
interface AnswerBody {
  readonly id: string;
  readonly connections: readonly ConnectionView[];
  readonly providers: readonly ProviderView[];
  readonly [member: string]: unknown;
}

/** Credentials as its process would run it, on a real database, with what the bus carried. */
export class ConnectionsScene {
  readonly root = mkdtempSync(join(tmpdir(), 'warder-connections-'));
  readonly bearers = { admin: issueToken(randomBytes), ana: issueToken(randomBytes), ben: issueToken(randomBytes) };
  states = new Map<string, ConnectionState>();
  auths = new Map<string, UpstreamAuthState>();
  records: AuditRecord[] = [];
  /** Everything that the bus carried, as text. */
  carried: string[] = [];
  /** By which credentials signs leases. */
  readonly signer = generateKeyPairSync('ed25519').privateKey;
  readonly granted: LeaseGranted[] = [];
  readonly enrolled = new Map<string, NodeEnrolled>();
  bus!: Bus;
  running: RunningHost | undefined;
  source!: DataSource;
  aheadMs = 0;
  /** Of the secret store; its own keyring where a spec names no other. */
  secrets: object = { dir: join(this.root, 'secrets'), keyringFile: join(this.root, 'keyring'), create: true };
  private principalVersion = 1;
  private policyVersion = 1;
  private readonly key = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  private constructor(readonly database: EmbeddedPostgres) {}

  static async create(): Promise<ConnectionsScene> {
    return new ConnectionsScene(await startEmbeddedPostgres({ ephemeral: true }));
  }

  readonly clock = { wallMs: () => Date.now() + this.aheadMs, monotonicMs: () => performance.now() };

  async start(fake: FakeProvider, connections: object = {}): Promise<void> {
    this.aheadMs = 0;
    await this.startBus();
    this.source = await new DataSource({ type: 'postgres', url: this.database.url }).initialize();
    await this.source.query('DROP SCHEMA IF EXISTS credentials CASCADE');
    await this.startService(fake, connections);
  }

  /** Its configuration, for further processes too. */
  configFor(fake: FakeProvider, connections: object = {}): object {
    return {
      database: { url: this.database.url },
      pepper: { current: 'p1', keys: { p1: PEPPER } },
      secrets: this.secrets,
      connections: { privateHosts: [fake.host], lookEveryMs: 20, requestTimeoutMs: 2_000, ...connections },
    };
  }

  async startService(fake: FakeProvider, connections: object = {}): Promise<void> {
    const config = this.configFor(fake, connections);
    this.running = await startServiceForTest(credentialsService, config, {
      bus: this.bus,
      clock: this.clock,
      signingKey: this.signer,
      settings: { bounds: { bodyBytesMax: 65_536 } },
    });
    while ((await fetch(`${this.running.url}/readyz`)).status !== 200) await new Promise(setImmediate);
  }

  async stop(): Promise<void> {
    await this.running?.stop();
    this.running = undefined;
    await this.bus.close();
    await this.source.destroy();
  }

  async end(): Promise<void> {
    await this.database.stop();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Asks an admin door. */
  async ask(
    method: string,
    path: string,
    body?: object,
    as: keyof ConnectionsScene['bearers'] = 'admin',
  ): Promise<{ status: number; body: AnswerBody }> {
    const answer = await fetch(`${this.running!.url}/admin/credentials${path}`, {
      method,
      headers: { authorization: `Bearer ${this.bearers[as]}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as AnswerBody };
  }

  /** A provider `fake`, and an upstream `tickets` that takes its connections. */
  async setUp(fake: FakeProvider, kind = 'oauth_user'): Promise<void> {
    const { id: clientId, secret: clientSecret } = fake.client;
    const provider = { entry: 'internal-oauth', clientId, clientSecret, parameters: fake.parameters };
    const [put, upstream] = [
      await this.ask('PUT', '/providers/fake', provider),
      await this.ask('PUT', '/upstreams/tickets', { kind, provider: 'fake' }),
    ];
    if (put.status !== 200 || upstream.status !== 200) throw new Error(JSON.stringify([put, upstream]));
  }

  /** A policy with MCP servers at these addresses. */
  async tellUpstreams(urls: Readonly<Record<string, string>>): Promise<void> {
    const upstreams = Object.fromEntries(
      Object.entries(urls).map(([name, url]) => [name, { transport: { kind: 'streamable-http', url } }]),
    );
    const document = PolicyDocument.parse({ upstreams });
    this.policyVersion += 1;
    const snapshot = {
      version: this.policyVersion,
      status: 'active' as const,
      minReader: 1,
      publishedAtMs: 1,
      document,
    };
    await this.bus.publish(policySnapshotTopic, 'current', snapshot);
  }

  async tellPrincipal(name: string, change: object = {}): Promise<void> {
    const roles = name === 'admin' ? (['admin'] as const) : (['member'] as const);
    const state = { ...principalStateTopic.example, id: `usr_${name}`, name, roles: [...roles], ...change };
    this.principalVersion += 1;
    await this.bus.publish(principalStateTopic, `usr_${name}`, { ...state, version: this.principalVersion });
  }

  /** As identity signs one. */
  pass(claims: object, key: KeyObject = this.key.privateKey): string {
    const origin = new URL(this.running!.url).origin;
    const header = { alg: 'ES256', kid: 'k1', typ: 'warder-pass+jwt' };
    const at = Math.floor(this.clock.wallMs() / 1_000);
    const whole = {
      iss: origin,
      aud: `${origin}/connections`,
      sid: 's1',
      auth_time: at,
      iat: at,
      exp: at + 60,
      ...claims,
    };
    const text = [header, whole].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  /** A person’s connection, made in a browser and told to the nodes. @returns its id */
  async connect(name = 'ana', kind = 'oauth_user'): Promise<string> {
    const browser = new SceneBrowser(this, `usr_${name}`);
    const page = await browser.connect('fake', kind);
    if (page.status !== 200) throw new Error(page.text);
    const { body } = await this.ask('GET', '/connections');
    const isIt = (each: ConnectionView): boolean =>
      each.kind === kind && (kind !== 'oauth_user' || each.principalId === `usr_${name}`);
    const { id, version } = body.connections.find(isIt)!;
    await this.untilOnBus(id, version);
    return id;
  }

  /** Waits until the state of a connection has come to the bus. */
  private async untilOnBus(id: string, version: number): Promise<void> {
    while ((this.states.get(id)?.version ?? 0) < version) await new Promise(setImmediate);
  }

  announce(announced: NodeAnnounced): Promise<void> {
    return this.bus.publish(nodeAnnouncedTopic, announced.node, announced);
  }

  /** What the database holds of a connection. */
  async row(id: string): Promise<Record<string, unknown>> {
    const [row] = (await this.source.query('SELECT * FROM credentials.connection WHERE id = $1', [id])) as [
      Record<string, unknown>,
    ];
    return row;
  }

  /** Has a connection refreshed with the next look. */
  async makeDue(id: string): Promise<void> {
    await this.source.query('UPDATE credentials.connection SET refresh_at_ms = 1 WHERE id = $1', [id]);
  }

  actions(): string[] {
    return this.records.map(({ method }) => method ?? '').filter((method) => method.startsWith('admin/credentials/'));
  }

  private async startBus(): Promise<void> {
    this.bus = createInProcessBus({ node: 'n1', log, clock: this.clock });
    this.states = new Map();
    this.auths = new Map();
    this.records = [];
    this.carried = [];
    const keep = <T>(value: T): T => {
      this.carried.push(JSON.stringify(value));
      return value;
    };
    await this.bus.watch(connectionStateTopic, 'beginning', ({ key, value }) => this.states.set(key, keep(value)));
    await this.bus.watch(upstreamAuthStateTopic, 'beginning', ({ key, value }) => this.auths.set(key, keep(value)));
    await this.bus.watch(leaseGrantedTopic, 'beginning', ({ value }) => void this.granted.push(keep(value)));
    await this.bus.watch(nodeEnrolledTopic, 'beginning', ({ value }) => void this.enrolled.set(value.node, value));
    await this.bus.subscribe(auditRecordedTopic, 'test', async ({ value }) => void this.records.push(keep(value)));
    for (const topic of [principalStateTopic, tokenStateTopic, signingKeyStateTopic, policySnapshotTopic]) {
      await this.bus.ensureTopics([topic]);
      await this.bus.own(topic);
    }
    const { x = '', y = '' } = this.key.publicKey.export({ format: 'jwk' });
    const jwk = { kty: 'EC' as const, crv: 'P-256' as const, x, y };
    await this.bus.publish(signingKeyStateTopic, 'k1', {
      version: 1,
      status: 'active',
      id: 'k1',
      algorithm: 'ES256',
      jwk,
    });
    const document = PolicyDocument.parse({ virtualServers: { dev: { tools: [{ upstream: 'tickets', tool: '*' }] } } });
    const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
    await this.bus.publish(policySnapshotTopic, 'current', snapshot);
    for (const [name, bearer] of Object.entries(this.bearers)) {
      await this.tellPrincipal(name);
      const token = { ...tokenStateTopic.example, version: 1, id: `pat_${name}`, principalId: `usr_${name}` };
      const expiresAtMs = Date.now() + 3_600_000;
      await this.bus.publish(tokenStateTopic, digestOf(bearer, PEPPER), { ...token, pepperKeyId: 'p1', expiresAtMs });
    }
  }
}

/** What a browser was shown. */
export interface ScenePage {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
}

/** A browser with cookies of its own, in front of which somebody is signed in at identity. */
export class SceneBrowser {
  constructor(
    private readonly scene: ConnectionsScene,
    readonly principalId: string,
    readonly cookies = new Map<string, string>(),
  ) {}

  /** One request, without following where it leads. */
  async go(to: string, form?: Record<string, string>): Promise<ScenePage> {
    const url = new URL(to, this.scene.running!.url);
    const answer = await fetch(url, {
      method: form === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { cookie: [...this.cookies].map((pair) => pair.join('=')).join('; ') },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    if (url.origin === new URL(this.scene.running!.url).origin) {
      for (const each of answer.headers.getSetCookie()) {
        const [name = '', value = ''] = (each.split(';', 1)[0] ?? '').split(/=(.*)/s, 2);
        this.cookies.set(name, value);
      }
    }
    return { status: answer.status, text: await answer.text(), location: answer.headers.get('location') ?? undefined };
  }

  /** Opens a page; identity lets the browser in on the way. */
  async open(path = '/connections'): Promise<ScenePage> {
    const page = await this.go(path);
    if (page.location?.startsWith('/account/pass') !== true) return page;
    const query = new URL(page.location, 'http://x').searchParams;
    const pass = this.scene.pass({ sub: this.principalId, nonce: query.get('nonce') });
    const back = new URLSearchParams({ pass, to: query.get('to') ?? '' });
    const { location = '' } = await this.go(`/connections/signed-in?${back.toString()}`);
    return this.go(location);
  }

  /** Sends a form of the page. */
  send(page: ScenePage, path: string, values: Record<string, string> = {}): Promise<ScenePage> {
    return this.go(path, { token: /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? '', ...values });
  }

  /** Begins to connect. @returns where the provider sends the browser back to */
  async begin(provider: string, kind = 'oauth_user'): Promise<string> {
    const sent = await this.send(await this.open(), '/connections/connect', { provider, kind });
    if (sent.location === undefined) throw new Error(sent.text);
    return (await this.go(sent.location)).location ?? '';
  }

  async connect(provider: string, kind = 'oauth_user'): Promise<ScenePage> {
    return this.go(await this.begin(provider, kind));
  }
}
