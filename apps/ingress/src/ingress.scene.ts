import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import {
  auditCheckpointTopic,
  type AuditRecord,
  auditRecordedTopic,
  connectionStateTopic,
  grantStateTopic,
  guardrailRulesStateTopic,
  PolicyDocument,
  policySnapshotTopic,
  principalStateTopic,
  signingKeyStateTopic,
  type TokenScopes,
  type TokenState,
  tokenStateTopic,
  toolDefinitionVerdictTopic,
  trustedIssuerStateTopic,
  upstreamAuthStateTopic,
} from '@warder/contracts';
import { BUILT_IN_PACKS } from '@warder/detectors';
import { type Clock, type RunningHost, startServiceForTest } from '@warder/service-host';
import { digestOf, issueToken } from '@warder/tokens';
import { vi } from 'vitest';
import type { z } from 'zod';
import { CredentialsStand } from './credentials-stand.scene.js';
import { ingressService } from './index.js';

export const PEPPER = 'a-pepper-of-at-least-32-characters';
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** An answer as it came. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A clock that a test may push. */
export class PushedClock implements Clock {
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

/** One ingress node with everything it needs, in one process: its owners' state, its bus, its records. */
export class IngressScene {
  readonly records: AuditRecord[] = [];
  readonly clock = new PushedClock();
  readonly dir = mkdtempSync(join(tmpdir(), 'warder-ingress-'));
  readonly bus: Bus = createInProcessBus({ node: 'ingress-1', log: SILENT, clock: this.clock });
  /** Stands for the credentials service on the bus. */
  readonly credentials = new CredentialsStand(this.bus, this.clock);
  host!: RunningHost;
  private version = 0;
  private readonly tokens = new Map<string, TokenState>();

  /** Publishes principals ana (developers) and bo (nobody's group), the rules and a policy, and starts the node. */
  async start(policy: z.input<typeof PolicyDocument>, config: object = {}): Promise<this> {
    const owned = [
      principalStateTopic,
      tokenStateTopic,
      policySnapshotTopic,
      guardrailRulesStateTopic,
      connectionStateTopic,
      grantStateTopic,
      signingKeyStateTopic,
      toolDefinitionVerdictTopic,
      trustedIssuerStateTopic,
      upstreamAuthStateTopic,
    ];
    await this.bus.ensureTopics([...owned, auditRecordedTopic, auditCheckpointTopic]);
    await this.publishPrincipal('ana', ['developers']);
    await this.publishPrincipal('bo', []);
    for (const [pack, detectors] of Object.entries(BUILT_IN_PACKS)) {
      await this.bus.publish(guardrailRulesStateTopic, pack, {
        version: 1,
        status: 'active',
        pack,
        detectors: [...detectors],
      });
    }
    await this.publishPolicy(policy);
    for (const topic of owned) await this.bus.own(topic);
    await this.credentials.start();
    await this.bus.batch(auditRecordedTopic, 'audit', async (batch) => {
      for (const { value } of batch)
        this.records.push(auditRecordedTopic.schema.parse(JSON.parse(value.toString('utf8'))));
    });
    // The node has a key, so it signs heads of its log, and those wait for who keeps them.
    await this.bus.batch(auditCheckpointTopic, 'audit', async () => {});
    await this.startNode(config);
    return this;
  }

  async startNode(config: object = {}, bus: Bus = this.bus): Promise<void> {
    this.host = await startServiceForTest(
      ingressService,
      {
        journal: { dir: join(this.dir, 'journal'), sizeMaxBytes: 2_097_152, segmentBytes: 262_144 },
        replicaFile: join(this.dir, 'replica.sealed'),
        sessionKey: 'a-session-key-of-at-least-32-characters',
        peppers: { p1: PEPPER },
        leases: { identityFile: join(this.dir, 'identity.key'), ...this.credentials.leasesConfig },
        ...withOwnDirs(config, this.dir),
      },
      {
        bus,
        clock: this.clock,
        signingKey: this.credentials.signer,
        settings: { node: 'ingress-1', ...(bus === this.bus ? {} : { bounds: { drainTimeoutMs: 300 } }) },
      },
    );
  }

  async publishPrincipal(id: string, groups: string[], status: 'active' | 'suspended' = 'active'): Promise<void> {
    this.version += 1;
    const state = {
      version: this.version,
      status,
      id,
      kind: 'human' as const,
      name: `${id} name`,
      email: null,
      groups,
      roles: [],
    };
    await this.bus.publish(principalStateTopic, id, state);
  }

  async publishPolicy(policy: z.input<typeof PolicyDocument>): Promise<void> {
    this.version += 1;
    const document = PolicyDocument.parse(policy);
    const state = { version: this.version, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
    await this.bus.publish(policySnapshotTopic, 'current', state);
  }

  /** Issues a token of a principal, cut to tools or by whichever scopes, that is good for so many milliseconds. */
  async token(
    principalId: string,
    scopes: string[] | Partial<TokenScopes> = {},
    lifeMs = 3_600_000_000,
  ): Promise<string> {
    const text = issueToken((bytes) => randomBytes(bytes));
    this.version += 1;
    await this.publishToken(text, {
      version: this.version,
      status: 'active',
      id: `pat_${this.version}`,
      name: 'laptop',
      principalId,
      pepperKeyId: 'p1',
      createdAtMs: 1,
      expiresAtMs: this.clock.wallMs() + lifeMs,
      scopes: { tools: null, ...(Array.isArray(scopes) ? { tools: scopes } : scopes) },
    });
    return text;
  }

  async revoke(text: string): Promise<void> {
    this.version += 1;
    await this.publishToken(text, { ...this.tokens.get(text)!, version: this.version, status: 'revoked' });
  }

  private async publishToken(text: string, state: TokenState): Promise<void> {
    this.tokens.set(text, state);
    await this.bus.publish(tokenStateTopic, digestOf(text, PEPPER), state);
  }

  /** Sends one HTTP request to the node as it stands. */
  send(
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string | Buffer; signal?: AbortSignal },
  ): Promise<Answered> {
    const { method = 'POST', headers = {}, body = '', signal } = options;
    return new Promise((resolve, reject) => {
      const sent = httpRequest(`${this.host.url}${path}`, { method, headers, agent: false, signal }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** Waits until the client is listed these tools; asks seldom, for every list costs quota. */
  async untilListed(client: { ask(method: string): Promise<Answered> }, ...names: string[]): Promise<void> {
    const isListed = async () => {
      const { text } = await client.ask('tools/list');
      return names.every((name) => text.includes(`"${name}"`)) || undefined;
    };
    await eventually(isListed, 200);
  }

  async stop(): Promise<void> {
    await this.host.stop();
    await this.bus.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A journal that a test describes lies in the scene's own directory. */
function withOwnDirs(config: object, dir: string): object {
  if (!('journal' in config)) return config;
  return { ...config, journal: { ...(config.journal as object), dir: join(dir, 'journal') } };
}

/** Asks again and again until there is an answer, 10 s at most. */
export function eventually<T>(read: () => T | undefined | Promise<T | undefined>, intervalMs = 20): Promise<T> {
  return vi.waitFor(
    async () => {
      const found = await read();
      if (found === undefined || (found as unknown) === false) throw new Error('not yet');
      return found;
    },
    { timeout: 10_000, interval: intervalMs },
  );
}

/** The one record that fits; waits until there is exactly one. */
export function oneRecord(scene: IngressScene, fits: (record: AuditRecord) => boolean): Promise<AuditRecord> {
  return eventually(() => {
    const found = scene.records.filter(fits);
    return found.length === 1 ? found[0] : undefined;
  });
}
