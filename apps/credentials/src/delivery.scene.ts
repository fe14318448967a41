import { createInProcessBus, type Bus } from '@warder/bus';
import {
  type AuditRecord,
  auditRecordedTopic,
  connectionStateTopic,
  type LeaseGranted,
  leaseGrantedTopic,
  type LeaseRequested,
  leaseRequestedTopic,
  type NodeAnnounced,
  nodeAnnouncedTopic,
  type NodeEnrolled,
  nodeEnrolledTopic,
  principalStateTopic,
  type ServiceName,
  tokenStateTopic,
} from '@warder/contracts';
import { announcementOf, leaseRequestOf, openLease, textOfKey } from '@warder/leases';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type Clock, type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { vi } from 'vitest';
import { credentialsService } from './index.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const log = createLogger('test', { level: 'silent' });
/** The first answer may wait for keys that are made then. */
const ANSWER_MS_MAX = 15_000;

/** A clock that a test may push. */
class PushedClock implements Clock {
  private pushedMs = 0;
  wallMs(): number {
    return Date.now() + this.pushedMs;
  }
  monotonicMs(): number {
    return performance.now() + this.pushedMs;
  }
  push(ms: number): void {
    this.pushedMs += ms;
  }
}

/** The credentials service with its database, and everything that is said on the bus; the test speaks as the nodes. */
export class DeliveryScene {
  readonly clock = new PushedClock();
  signer = generateKeyPairSync('ed25519').privateKey;
  readonly root = mkdtempSync(join(tmpdir(), 'warder-delivery-'));
  readonly granted: LeaseGranted[] = [];
  readonly enrolled = new Map<string, NodeEnrolled>();
  readonly records: AuditRecord[] = [];
  /** Versions of connections, by id, as the bus has them. */
  readonly connections = new Map<string, number>();
  bus!: Bus;
  private database!: EmbeddedPostgres;
  private readonly admin = issueToken(randomBytes);
  private running: RunningHost | undefined;
  private isDatabaseAway = false;

  /** @param tokens - join tokens by node, or by `<service>/<node>`, given as files */
  async start(tokens: Readonly<Record<string, string>>, config: object = {}): Promise<this> {
    this.database = await startEmbeddedPostgres({ ephemeral: true });
    mkdirSync(join(this.root, 'join-tokens'));
    for (const [node, token] of Object.entries(tokens)) {
      const file = join(this.root, 'join-tokens', node);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${token}\n`);
    }
    this.bus = createInProcessBus({ node: 'n1', log, clock: this.clock });
    await this.bus.watch(leaseGrantedTopic, 'beginning', ({ value }) => this.granted.push(value));
    await this.bus.watch(nodeEnrolledTopic, 'beginning', ({ value }) => this.enrolled.set(value.node, value));
    await this.bus.watch(connectionStateTopic, 'beginning', ({ key, value }) => {
      this.connections.set(key, value.version);
    });
    await this.bus.subscribe(auditRecordedTopic, 'test', async ({ value }) => void this.records.push(value));
    await this.bus.own(principalStateTopic);
    await this.bus.own(tokenStateTopic);
    const principal = { ...principalStateTopic.example, version: 1, id: 'usr_admin', roles: ['admin' as const] };
    await this.bus.publish(principalStateTopic, 'usr_admin', principal);
    const token = { ...tokenStateTopic.example, version: 1, id: 'pat_admin', principalId: 'usr_admin' };
    const expiresAtMs = Date.now() + 365 * 86_400_000;
    await this.bus.publish(tokenStateTopic, digestOf(this.admin, PEPPER), { ...token, expiresAtMs });
    await this.startService(config);
    return this;
  }

  async startService(config: object = {}): Promise<void> {
    const secrets = { dir: join(this.root, 'secrets'), keyringFile: join(this.root, 'keyring'), create: true };
    this.running = await startServiceForTest(
      credentialsService,
      {
        database: { url: this.database.url },
        pepper: { current: 'p1', keys: { p1: PEPPER } },
        secrets,
        nodes: { joinTokensDir: join(this.root, 'join-tokens') },
        ...config,
      },
      { bus: this.bus, clock: this.clock, signingKey: this.signer },
    );
    await vi.waitFor(async () => {
      if ((await this.ask('get', '/admin/credentials/nodes')).status !== 200) throw new Error('not yet');
    });
  }

  async stopService(): Promise<void> {
    await this.running?.stop();
    this.running = undefined;
  }

  async stopDatabase(): Promise<void> {
    await this.database.stop();
    this.isDatabaseAway = true;
  }

  async stop(): Promise<void> {
    await this.stopService();
    await this.bus.close();
    if (!this.isDatabaseAway) await this.database.stop();
    rmSync(this.root, { recursive: true, force: true });
  }

  ask(method: 'get' | 'post' | 'put' | 'delete', path: string, body?: object) {
    const asked = request(this.running?.url ?? '')
      [method](path)
      .set('authorization', `Bearer ${this.admin}`);
    return body === undefined ? asked : asked.send(body);
  }

  async putSecret(upstream: string, value: string): Promise<void> {
    const body = { kind: 'header', name: 'authorization', value };
    const answer = await this.ask('put', `/admin/credentials/static/${upstream}`, body);
    if (answer.status !== 200) throw new Error(answer.text);
    await this.untilOnBus(upstream, answer.body.version);
  }

  /** Waits until the state of a static connection has come to the bus. */
  async untilOnBus(upstream: string, version: number): Promise<void> {
    await vi.waitFor(() => {
      if ((this.connections.get(`static/${upstream}`) ?? 0) < version) throw new Error('not yet');
    });
  }

  announce(announced: NodeAnnounced): Promise<void> {
    return this.bus.publish(nodeAnnouncedTopic, announced.node, announced);
  }

  /** Every row of the service's tables, as text. */
  async rows(): Promise<string> {
    const source = await new DataSource({ type: 'postgres', url: this.database.url }).initialize();
    const tables = ['node_identity', 'join_token', 'static_credential', 'outbox'];
    const rows = [];
    for (const table of tables) rows.push(await source.query(`SELECT * FROM credentials.${table}`));
    await source.destroy();
    return JSON.stringify(rows);
  }

  /** Details of what was refused, with how often. */
  refusals(): Record<string, number> {
    const counted: Record<string, number> = {};
    for (const { refusal, personal, count } of this.records) {
      const detail = personal?.refusalDetail;
      if (refusal?.code === 'WDR_NODE_REFUSED' && detail) counted[detail] = (counted[detail] ?? 0) + count;
    }
    return counted;
  }
}

/** A node as the bus sees it: its key, and a sealing key of one process of it. */
export class SceneNode {
  identity: KeyObject = generateKeyPairSync('ed25519').privateKey;
  private readonly sealing = generateKeyPairSync('x25519');

  constructor(
    private readonly scene: Pick<DeliveryScene, 'announce' | 'enrolled' | 'granted' | 'bus'> & {
      readonly clock: { wallMs(): number };
    },
    readonly name: string,
    readonly service: ServiceName = 'ingress',
  ) {}

  get identityText(): string {
    return textOfKey(this.identity);
  }

  announcement(more: { joinToken?: string; predecessor?: KeyObject; atMs?: number } = {}): NodeAnnounced {
    return announcementOf({
      node: this.name,
      service: this.service,
      identity: this.identity,
      atMs: this.scene.clock.wallMs(),
      ...more,
    });
  }

  /** Joins and waits until it is known. */
  async join(joinToken: string): Promise<this> {
    await this.scene.announce(this.announcement({ joinToken }));
    await vi.waitFor(() => {
      if (this.scene.enrolled.get(this.name)?.identity !== this.identityText) throw new Error('not yet');
    }, ANSWER_MS_MAX);
    return this;
  }

  request(connectionId: string, more: Partial<LeaseRequested> = {}): LeaseRequested {
    const asked = {
      node: this.name,
      requestId: randomUUID(),
      connectionId,
      upstream: connectionId.replace('static/', ''),
      principalId: '',
      sealing: { id: 'k1', key: textOfKey(this.sealing.publicKey) },
      refusedGeneration: null,
      atMs: this.scene.clock.wallMs(),
    };
    return leaseRequestOf({ ...asked, ...more }, this.identity);
  }

  async send(requested: LeaseRequested): Promise<void> {
    await this.scene.bus.publish(leaseRequestedTopic, requested.connectionId, requested);
  }

  /** Asks, and waits for the answer. */
  async ask(connectionId: string, more: Partial<LeaseRequested> = {}): Promise<LeaseGranted> {
    const requested = this.request(connectionId, more);
    await this.send(requested);
    return this.answerTo(requested.requestId);
  }

  answerTo(requestId: string, number = 1): Promise<LeaseGranted> {
    return vi.waitFor(() => {
      const answers = this.scene.granted.filter((granted) => granted.requestId === requestId);
      const answer = answers[number - 1];
      if (answer === undefined) throw new Error('no answer yet');
      return answer;
    }, ANSWER_MS_MAX);
  }

  open(granted: LeaseGranted): unknown {
    const credential = openLease(granted, this.sealing.privateKey);
    return 'values' in credential ? credential.values : credential;
  }
}
