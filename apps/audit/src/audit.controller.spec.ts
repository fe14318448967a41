import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import {
  auditDeadLetterTopic,
  type AuditRecord,
  auditRecordedTopic,
  principalStateTopic,
  tokenStateTopic,
} from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { auditService } from './index.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const bearers = { admin: issueToken(randomBytes), auditor: issueToken(randomBytes), member: issueToken(randomBytes) };

describe('the audit service', () => {
  let dataDir: string;
  let database: EmbeddedPostgres;
  let bus: Bus;
  let running: RunningHost;
  let lastRecord = 0;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'warder-audit-'));
    database = await startEmbeddedPostgres({ dataDir, ephemeral: true, tcp: { password: 'test' } });
    bus = createInProcessBus({ node: 'audit', log, clock });
    await bus.own(principalStateTopic);
    await bus.own(tokenStateTopic);
    for (const [role, bearer] of Object.entries(bearers)) {
      const id = `usr_${role}`;
      const roles = [role as keyof typeof bearers];
      const principal = { ...principalStateTopic.example, version: 1, id, email: `${role}@example.com` };
      await bus.publish(principalStateTopic, id, { ...principal, groups: [], roles });
      const token = { ...tokenStateTopic.example, version: 1, id: `pat_${role}`, principalId: id };
      const expiresAtMs = Date.now() + 3_600_000;
      await bus.publish(tokenStateTopic, digestOf(bearer, PEPPER), { ...token, pepperKeyId: 'p1', expiresAtMs });
    }
    const config = {
      database: { url: database.tcpUrl },
      pepper: { current: 'p1', keys: { p1: PEPPER } },
    };
    running = await startServiceForTest(auditService, config, { bus, clock });
    // The guard knows nobody before its replicas are there.
    await vi.waitUntil(async () => (await get('calls')).status === 200, { timeout: 10_000 });
  });
  afterAll(async () => {
    await running?.stop();
    await bus?.close();
    await database?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const get = (path: string, role: keyof typeof bearers = 'auditor') =>
    request(running.url).get(`/admin/audit/${path}`).set('authorization', `Bearer ${bearers[role]}`);
  const publish = async (change: Partial<AuditRecord> = {}): Promise<AuditRecord> => {
    const recordId = `0193673e-7c1f-7d5e-8a55-${String(++lastRecord).padStart(12, '0')}`;
    const record = {
      ...auditRecordedTopic.example,
      occurredAtMs: Date.now(),
      recordId,
      sequence: lastRecord,
      ...change,
    };
    await bus.publish(auditRecordedTopic, recordId, record);
    return record;
  };
  const calls = async (query: string): Promise<AuditRecord[]> => (await get(`calls?${query}`)).body.calls;

  it('answers what was published, whole, to an auditor', async () => {
    const record = await publish({ upstream: 'first' });
    await vi.waitFor(async () => expect(await calls('upstream=first')).toEqual([record]));
    const answer = await get(`calls/${record.recordId}`);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.body).toEqual(record);
    const used = await get('who-used?upstream=first&days=30');
    expect(used.body).toMatchObject({
      uses: [
        {
          agent: { id: 'pat_01jd3x9q', name: 'laptop' },
          human: { id: 'usr_01jd3x7k', name: 'Ana Ortiz', email: 'ana@example.com' },
          tool: 'echo',
          count: 1,
          samples: [{ recordId: record.recordId, arguments: record.personal?.arguments }],
        },
      ],
      nextCursor: null,
    });
  });

  it('pages by its own cursor', async () => {
    const records = [
      await publish({ upstream: 'paged', occurredAtMs: Date.now() - 2 }),
      await publish({ upstream: 'paged', occurredAtMs: Date.now() - 1 }),
      await publish({ upstream: 'paged' }),
    ];
    await vi.waitFor(async () => expect(await calls('upstream=paged')).toHaveLength(3));
    const first = await get('calls?upstream=paged&limit=2');
    const second = await get(`calls?upstream=paged&limit=2&cursor=${first.body.nextCursor}`);
    expect([...first.body.calls, ...second.body.calls]).toEqual(records.toReversed());
    expect(second.body.nextCursor).toBeNull();
  });

  it('shows what is no record in the quarantine and in the dead-letter topic', async () => {
    const letters: unknown[] = [];
    await bus.watch(auditDeadLetterTopic, 'end', ({ value }) => letters.push(value));
    await bus.publishRaw(auditRecordedTopic, [{ key: 'x', value: Buffer.from('{"no":"record"}') }]);
    await vi.waitFor(() => expect(letters).toHaveLength(1));
    const { rows } = (await get('quarantine')).body;
    expect(rows).toEqual(letters);
    expect(rows[0]).toMatchObject({ key: 'x', value: Buffer.from('{"no":"record"}').toString('base64') });
  });

  it.each(['admin', 'member'] as const)('tells a caller with the role %s nothing', async (role) => {
    for (const path of ['calls', 'who-used', 'quarantine', 'calls/x']) {
      const answer = await get(path, role);
      expect([answer.status, answer.body.error.code]).toEqual([403, 'WDR_ROLE_MISSING']);
    }
  });

  it('refuses a caller without a token', async () => {
    const answer = await request(running.url).get('/admin/audit/calls');
    expect([answer.status, answer.body.error.code]).toEqual([401, 'WDR_TOKEN_MISSING']);
  });

  it.each([
    ['calls?colour=red', 'colour: unknown key'],
    ['calls?limit=501', 'limit'],
    ['calls?from=yesterday', 'from'],
    // Right in form and wrong for the store: a time that is none, an id that is none, a character that it cannot hold.
    [
      'calls?cursor=MjAyNi0wMS0wMVQwMDowMDowMC4wMDAwMDBaIC0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLQ',
      'the database cannot hold',
    ],
    [
      'calls?cursor=MjAyNi0wMi0zMVQwMDowMDowMC4wMDAwMDBaIDAxOTM2NzNlLTdjMWYtN2Q1ZS04YTU1LTAwMDAwMDAwMDAwMQ',
      'the database cannot hold',
    ],
    ['calls?from=999999999999999', 'the database cannot hold'],
    ['calls?upstream=%00', 'the database cannot hold'],
    ['calls?cursor=x', 'cursor: not one that a page gave'],
    ['calls?decision=maybe', 'decision'],
    ['calls?human=a&human=b', 'human'],
    ['who-used?days=0', 'days'],
    ['who-used?cursor=x', 'cursor: not one that a page gave'],
    // A day that no calendar has, and a key that lacks a part.
    ...['["2026-02-31","a","b","c","d"]', '["2026-02-28","a","b","c"]'].map((text): [string, string] => [
      `who-used?cursor=${Buffer.from(text).toString('base64url')}`,
      'cursor: not one that a page gave',
    ]),
    [`who-used?cursor=${Buffer.from('["2026-02-28","a","b","c","\\u0000"]').toString('base64url')}`, 'cannot hold'],
    ['quarantine?from=1', 'from: unknown key'],
  ])('refuses %s and names the key', async (path, message) => {
    const answer = await get(path);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'WDR_BODY_INVALID']);
    expect(answer.body.error.message).toContain(message);
  });

  it.each(['0193673e-7c1f-7d5e-8a55-ffffffffffff', 'x', "'; DROP TABLE call_record"])(
    'answers 404 for the record %s',
    async (id) => {
      const answer = await get(`calls/${encodeURIComponent(id)}`);
      expect([answer.status, answer.body.error.code]).toEqual([404, 'WDR_RECORD_UNKNOWN']);
    },
  );

  it('answers 503 while the database is away, and stores afterwards what the topic kept', async () => {
    const { port } = new URL(database.tcpUrl!);
    await database.stop();
    const recordId = '0193673e-7c1f-7d5e-8a55-00000000aaaa';
    const kept = { ...auditRecordedTopic.example, occurredAtMs: Date.now(), recordId, upstream: 'kept' };
    const published = bus.publish(auditRecordedTopic, recordId, kept);
    const answer = await get('calls');
    expect([answer.status, answer.body.error.code]).toEqual([503, 'WDR_STORE_UNAVAILABLE']);
    database = await startEmbeddedPostgres({
      dataDir,
      ephemeral: true,
      tcp: { port: Number(port), password: 'test' },
    });
    await published;
    expect(await calls('upstream=kept')).toEqual([kept]);
  });
});
