import { type Bus, createInProcessBus } from '@warder/bus';
import {
  auditRecordedTopic,
  type AuditRecord,
  guardrailRulesStateTopic,
  principalStateTopic,
  type Role,
  tokenStateTopic,
} from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import { randomBytes } from 'node:crypto';
import request from 'supertest';
import { vi } from 'vitest';
import { guardrailsService } from './index.js';

const SECRET = 'a pepper of at least thirty-two characters';
const SETTINGS = { bounds: { bodyBytesMax: 65_536 } };
const PEPPER = { current: 'p1', keys: { p1: SECRET } };

/** The guardrails service with a real database, in one process with those who ask it and those who hear it. */
export class GuardrailsScene {
  readonly clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
  readonly bus: Bus = createInProcessBus({
    node: 'n1',
    log: createLogger('test', { level: 'silent' }),
    clock: this.clock,
  });
  readonly records: AuditRecord[] = [];
  readonly bearers = { admin: '', auditor: '', member: '' };
  running!: RunningHost;
  database!: EmbeddedPostgres;

  /** @param before - publishes or follows what has to be there before the service starts */
  async start(before: (bus: Bus) => Promise<void> = async () => undefined): Promise<this> {
    this.database = await startEmbeddedPostgres({ ephemeral: true });
    const { bus } = this;
    await bus.ensureTopics([principalStateTopic, tokenStateTopic, auditRecordedTopic, guardrailRulesStateTopic]);
    for (const role of ['admin', 'auditor', 'member'] as const) this.bearers[role] = await this.admit(role);
    await bus.own(principalStateTopic);
    await bus.own(tokenStateTopic);
    await bus.subscribe(auditRecordedTopic, 'test', async ({ value }) => void this.records.push(value));
    await before(bus);
    await this.startService();
    await vi.waitUntil(async () => (await this.get('packs')).status === 200);
    return this;
  }

  async startService(): Promise<void> {
    const config = { database: { url: this.database.url }, pepper: PEPPER };
    this.running = await startServiceForTest(guardrailsService, config, { bus: this.bus, settings: SETTINGS });
  }

  async stop(): Promise<void> {
    await this.running.stop();
    await this.bus.close();
    await this.database.stop();
  }

  get = (path: string, bearer = this.bearers.auditor) =>
    request(this.running.url).get(`/admin/guardrails/${path}`).set(as(bearer));

  put = (path: string, body: object, ifMatch?: string, bearer = this.bearers.admin) => {
    const sent = request(this.running.url).put(`/admin/guardrails/${path}`).set(as(bearer));
    return (ifMatch === undefined ? sent : sent.set('if-match', ifMatch)).send(body);
  };

  post = (path: string, body: object, bearer = this.bearers.admin) =>
    request(this.running.url).post(`/admin/guardrails/${path}`).set(as(bearer)).send(body);

  private async admit(role: Role): Promise<string> {
    const text = issueToken(randomBytes);
    const principal = { ...principalStateTopic.example, id: `usr_${role}`, version: 1, roles: [role] };
    await this.bus.publish(principalStateTopic, principal.id, principal);
    await this.bus.publish(tokenStateTopic, digestOf(text, SECRET), {
      ...tokenStateTopic.example,
      id: `pat_${role}`,
      principalId: principal.id,
      pepperKeyId: 'p1',
      expiresAtMs: Date.now() + 3_600_000,
    });
    return text;
  }
}

const as = (bearer: string) => ({ authorization: `Bearer ${bearer}` });
