import { createInProcessBus, type Bus } from '@warder/bus';
import {
  type AuditRecord,
  auditRecordedTopic,
  type GrantState,
  grantStateTopic,
  principalStateTopic,
  type PrincipalState,
  type SigningKeyState,
  signingKeyStateTopic,
  tokenStateTopic,
  trustedIssuerStateTopic,
  type TrustedIssuerState,
  type TokenState,
} from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { ClientsStore } from './authorization/clients.store.js';
import { identityService } from './index.js';

export const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const log = createLogger('test', { level: 'silent' });

/** What the doors answer; each door fills its own part. */
interface AnswerBody {
  readonly id: string;
  readonly principal: PrincipalState;
  readonly principals: readonly PrincipalState[];
  readonly error: { readonly code: string };
  readonly [member: string]: unknown;
}

/** A lock of the database in the hands of a test. */
export interface HeldLock {
  /** Waits until so many others wait for it. */
  areWaiting(count: number): Promise<void>;
  release(): Promise<void>;
}

/** Identity as its process would run it, on a real database, with what the bus carried. */
export class IdentityScene {
  readonly directory = mkdtempSync(join(tmpdir(), 'warder-identity-'));
  readonly tokenFile = join(this.directory, 'admin-token');
  principals = new Map<string, PrincipalState>();
  tokens = new Map<string, TokenState>();
  grants = new Map<string, GrantState>();
  signingKeys = new Map<string, SigningKeyState>();
  issuers = new Map<string, TrustedIssuerState>();
  records: AuditRecord[] = [];
  bus!: Bus;
  running: RunningHost | undefined;
  nowMs: () => number = () => Date.now();
  monotonicMs: () => number = () => performance.now();

  private constructor(public database: EmbeddedPostgres) {}

  static async create(): Promise<IdentityScene> {
    return new IdentityScene(await startEmbeddedPostgres({ ephemeral: true }));
  }

  /** Starts the service, on a new bus: what the scene saw before is forgotten. */
  async start(config: object = {}): Promise<void> {
    const clock = { wallMs: () => this.nowMs(), monotonicMs: () => this.monotonicMs() };
    this.bus = createInProcessBus({ node: 'n1', log, clock });
    this.principals = new Map();
    this.tokens = new Map();
    this.grants = new Map();
    this.signingKeys = new Map();
    this.issuers = new Map();
    await this.bus.ensureTopics([grantStateTopic, signingKeyStateTopic, trustedIssuerStateTopic]);
    // As an ingress node reads them, without which a change is not applied everywhere.
    await this.bus.replica(grantStateTopic, (id, state) => void this.grants.set(id, state));
    await this.bus.replica(signingKeyStateTopic, (id, state) => void this.signingKeys.set(id, state));
    await this.bus.replica(trustedIssuerStateTopic, (id, state) => void this.issuers.set(id, state));
    await this.bus.watch(principalStateTopic, 'beginning', ({ key, value }) => this.principals.set(key, value));
    await this.bus.watch(tokenStateTopic, 'beginning', ({ key, value }) => this.tokens.set(key, value));
    await this.bus.subscribe(auditRecordedTopic, 'test', async ({ value }) => void this.records.push(value));
    const settings = {
      database: { url: this.database.url },
      pepper: { current: 'p1', keys: { p1: PEPPER } },
      bootstrapTokenFile: this.tokenFile,
      ...config,
    };
    this.running = await startServiceForTest(identityService, settings, {
      bus: this.bus,
      clock,
      settings: { bounds: { bodyBytesMax: 65_536 } },
    });
    while ((await fetch(`${this.running.url}/readyz`)).status !== 200) await new Promise(setImmediate);
  }

  /** The token that the first start left for the administrator. */
  get adminToken(): string {
    return readFileSync(this.tokenFile, 'utf8').trim();
  }

  /** Asks an admin door; the administrator unless another bearer is given. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    bearer = this.adminToken,
  ): Promise<{ status: number; body: AnswerBody }> {
    const response = await fetch(`${this.running!.url}/admin/identity${path}`, {
      method,
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as AnswerBody };
  }

  /** Registers a public client that nobody knows, as an editor does. @returns its id */
  async registerClient(redirectUri: string): Promise<string> {
    const body = { client_name: 'Editor', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
    const registered = await fetch(`${this.running!.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return ((await registered.json()) as { client_id: string }).client_id;
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    const source = await new DataSource({ type: 'postgres', url: this.database.url }).initialize();
    try {
      return (await source.query(sql)) as Record<string, unknown>[];
    } finally {
      await source.destroy();
    }
  }

  /**
   * Holds a lock, so that others wait for it in the order in which they came.
   * @param statement - that takes it; that of every change, unless said otherwise
   */
  async locked(statement = `SELECT pg_advisory_xact_lock(hashtext('warder-identity'))`): Promise<HeldLock> {
    const source = await new DataSource({ type: 'postgres', url: this.database.url }).initialize();
    const runner = source.createQueryRunner();
    await runner.startTransaction();
    await runner.query(statement);
    return {
      areWaiting: async (count) => {
        for (;;) {
          const [{ waiting }] = (await source.query(
            `SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted`,
          )) as [{ waiting: number }];
          if (waiting >= count) return;
        }
      },
      release: async () => {
        await runner.rollbackTransaction();
        await runner.release();
        await source.destroy();
      },
    };
  }

  /** Removes what has expired, as the service does now and then. */
  async sweep(): Promise<void> {
    const extra = { options: '-c search_path=identity' };
    const source = await new DataSource({ type: 'postgres', url: this.database.url, extra }).initialize();
    await new ClientsStore({ source, wallMs: () => this.nowMs() }, 30).sweep();
    await source.destroy();
  }

  async stop(): Promise<void> {
    await this.running?.stop();
    this.running = undefined;
    await this.bus.close();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.database.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
