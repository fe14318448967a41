import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type Bus, createInProcessBus } from '@warder/bus';
import {
  type ApprovalAnswered,
  approvalAnsweredTopic,
  type ApprovalDecided,
  approvalDecidedTopic,
  type ApprovalRequested,
  approvalRequestedTopic,
  type AuditRecord,
  auditRecordedTopic,
  type PrincipalState,
  principalStateTopic,
  tokenStateTopic,
} from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import { DataSource } from 'typeorm';
import { vi } from 'vitest';
import { guardrailsService } from '../index.js';
import type { ApprovalView } from './approval-view.js';

const secret = 'a pepper of at least thirty-two characters';

/** Guardrails as its process would run it, on a real database, beside nodes that the test plays. */
export class ApprovalsScene {
  readonly answers: ApprovalAnswered[] = [];
  readonly decided: ApprovalDecided[] = [];
  readonly records: AuditRecord[] = [];
  readonly bearers = new Map<string, string>();
  aheadMs = 0;
  bus!: Bus;
  running!: RunningHost;
  private database!: EmbeddedPostgres;
  private version = 0;

  readonly clock = { wallMs: () => Date.now() + this.aheadMs, monotonicMs: () => performance.now() };

  async start(approvals: object = {}): Promise<void> {
    this.database = await startEmbeddedPostgres({ ephemeral: true });
    this.bus = createInProcessBus({ node: 'n1', log: createLogger('test', { level: 'silent' }), clock: this.clock });
    await this.bus.ensureTopics([principalStateTopic, tokenStateTopic, auditRecordedTopic, approvalAnsweredTopic]);
    await this.bus.watch(approvalAnsweredTopic, 'end', ({ value }) => this.answers.push(value));
    await this.bus.ensureTopics([approvalDecidedTopic]);
    await this.bus.watch(approvalDecidedTopic, 'end', ({ value }) => this.decided.push(value));
    await this.bus.subscribe(auditRecordedTopic, 'test', async ({ value }) => void this.records.push(value));
    await this.bus.own(principalStateTopic);
    await this.bus.own(tokenStateTopic);
    const pepper = { current: 'p1', keys: { p1: secret } };
    const config = { database: { url: this.database.url }, pepper, approvals: { lookEveryMs: 50, ...approvals } };
    const settings = { bounds: { bodyBytesMax: 65_536 } };
    this.running = await startServiceForTest(guardrailsService, config, { bus: this.bus, clock: this.clock, settings });
    await vi.waitUntil(async () => (await fetch(`${this.running.url}/readyz`)).status === 200);
  }

  async stop(): Promise<void> {
    await this.running.stop();
    await this.bus.close();
    await this.database.stop();
  }

  /** A person, or whatever `state` says, with a token of their own. */
  async know(id: string, state: Partial<PrincipalState> = {}): Promise<void> {
    this.version += 1;
    const { example } = principalStateTopic;
    const principal = { ...example, id, name: id, email: null, groups: [], version: this.version, ...state };
    await this.bus.publish(principalStateTopic, id, principal);
    if (this.bearers.has(id)) return;
    const text = issueToken(randomBytes);
    this.bearers.set(id, text);
    const token = { ...tokenStateTopic.example, id: `pat_${id}`, principalId: id, pepperKeyId: 'p1' };
    await this.bus.publish(tokenStateTopic, digestOf(text, secret), { ...token, expiresAtMs: Date.now() + 3_600_000 });
  }

  /** A held call of a node's: asked again under the same `what` it is the same call. @returns its answer */
  async hold(what: string, more: Partial<ApprovalRequested> = {}): Promise<ApprovalAnswered> {
    const requestId = randomUUID();
    const binding = createHash('sha256').update(what).digest('hex');
    const atMs = this.clock.wallMs();
    const asked = { ...approvalRequestedTopic.example, requestId, binding, atMs, answerByMs: atMs + 10_000, ...more };
    await this.bus.publish(approvalRequestedTopic, binding, asked);
    return vi.waitUntil(() => this.answers.find((answer) => answer.requestId === (more.requestId ?? requestId)), {
      timeout: 10_000,
      interval: 5,
    });
  }

  /** Puts so many questions of another principal's beside one, newer than it. */
  async copy(id: string, times: number, principalId: string): Promise<void> {
    const source = await new DataSource({ type: 'postgres', url: this.database.url }).initialize();
    await source.query(
      `INSERT INTO guardrails.approval (id, binding, status, is_open, request, principal_id, requested_at_ms, expires_at_ms)
       SELECT 'apr_' || lpad(n::text, 16, '0'), n::text, status, true,
              jsonb_set(request::jsonb, '{principalId}', to_jsonb($2::text))::json, $2, requested_at_ms + n, expires_at_ms
       FROM guardrails.approval, generate_series(1, $3::int) n WHERE id = $1`,
      [id, principalId, times],
    );
    await source.destroy();
  }

  async ask(method: string, path: string, as: string, body?: object) {
    const answer = await fetch(`${this.running.url}/admin/guardrails/approvals${path}`, {
      method,
      headers: { authorization: `Bearer ${this.bearers.get(as)}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const told = (await answer.json()) as ApprovalView & { error?: { code: string }; approvals?: ApprovalView[] };
    return { status: answer.status, body: told, code: told.error?.code };
  }

  decide(id: string | null, as: string, decision: 'approve' | 'deny' = 'approve') {
    return this.ask('POST', `/${id}/decision`, as, { decision, reason: 'as agreed' });
  }
}
