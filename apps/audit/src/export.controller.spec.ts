import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import { type AuditRecord, auditRecordedTopic, principalStateTopic, tokenStateTopic } from '@warder/contracts';
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
const bearers = { admin: issueToken(randomBytes), auditor: issueToken(randomBytes) };

describe('an export', () => {
  let dataDir: string;
  let database: EmbeddedPostgres;
  let bus: Bus;
  let running: RunningHost;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'warder-export-'));
    database = await startEmbeddedPostgres({ dataDir, ephemeral: true, tcp: { password: 'test' } });
    bus = createInProcessBus({ node: 'audit', log, clock });
    await bus.own(principalStateTopic);
    await bus.own(tokenStateTopic);
    for (const [role, bearer] of Object.entries(bearers)) {
      const id = `usr_${role}`;
      const principal = { ...principalStateTopic.example, version: 1, id, email: `${role}@example.com`, groups: [] };
      await bus.publish(principalStateTopic, id, { ...principal, roles: [role as keyof typeof bearers] });
      const token = { ...tokenStateTopic.example, version: 1, id: `pat_${role}`, principalId: id };
      const expiresAtMs = Date.now() + 3_600_000;
      await bus.publish(tokenStateTopic, digestOf(bearer, PEPPER), { ...token, pepperKeyId: 'p1', expiresAtMs });
    }
    const config = { database: { url: database.tcpUrl }, pepper: { current: 'p1', keys: { p1: PEPPER } } };
    running = await startServiceForTest(auditService, config, { bus, clock });
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
  const whole = (path: string) =>
    get(path)
      .buffer(true)
      .parse((answer, done) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => done(null, Buffer.concat(chunks)));
      });
  const publish = async (upstream: string, texts: (n: number) => string, count: number): Promise<string[]> => {
    const baseMs = Date.now() - 60_000;
    const entries = Array.from({ length: count }, (_, n) => {
      const recordId = `0193673e-7c1f-7d5e-8a55-${createHash('sha256').update(upstream).digest('hex').slice(0, 6)}${String(n).padStart(6, '0')}`;
      const { personal, ...core } = auditRecordedTopic.example;
      const value = { bytes: 1, value: { text: texts(n) } };
      const record: AuditRecord = {
        ...core,
        recordId,
        upstream,
        occurredAtMs: baseMs - n,
        personal: { ...personal!, arguments: value },
      };
      return { key: recordId, value: Buffer.from(JSON.stringify(record)) };
    });
    await bus.publishRaw(auditRecordedTopic, entries);
    return entries.map(({ value }) => value.toString());
  };

  it('hands out every record that the filters ask for, to the byte, over many pages', async () => {
    const texts = await publish('many', (n) => `n ${n}`, 1_203);
    await publish('other', (n) => `n ${n}`, 3);
    const answer = await whole('export?upstream=many');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    expect((answer.body as Buffer).toString()).toBe(texts.map((text) => `${text}\n`).join(''));
  });

  it('is on record before its first byte, and with its amount at its end', async () => {
    await publish('recorded', (n) => `n ${n}`, 5);
    const { body } = await whole('export?upstream=recorded&format=csv');
    await vi.waitFor(async () => {
      const { calls } = (await get('calls?kind=export&text=recorded')).body as { calls: AuditRecord[] };
      expect(calls.map(({ method, principal }) => [method, principal?.id])).toEqual([
        ['admin/audit/export.end', 'usr_auditor'],
        ['admin/audit/export.begin', 'usr_auditor'],
      ]);
      expect(calls[0]!.personal).toMatchObject({
        arguments: { value: { upstream: 'recorded', format: 'csv', records: 5 } },
        result: {
          bytes: (body as Buffer).length,
          sha256: createHash('sha256')
            .update(body as Buffer)
            .digest('hex'),
        },
      });
    });
  });

  it('writes CSV in which no cell is a formula and none breaks out of its cell', async () => {
    const hostile = ['=HYPERLINK("http://x")', 'a,"b"\r\nc', '@SUM(1)', 'plain'];
    await publish('csv', (n) => hostile[n]!, 4);
    const { body } = await whole('export?upstream=csv&format=csv');
    const lines = (body as Buffer).toString().split('\r\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^occurredAt,recordId,log,/);
    expect(lines.slice(1, 5).map((line) => line.match(/"\{""bytes.*?\}\}"/)?.[0])).toEqual([
      '"{""bytes"":1,""value"":{""text"":""=HYPERLINK(\\""http://x\\"")""}}"',
      '"{""bytes"":1,""value"":{""text"":""a,\\""b\\""\\r\\nc""}}"',
      '"{""bytes"":1,""value"":{""text"":""@SUM(1)""}}"',
      '"{""bytes"":1,""value"":{""text"":""plain""}}"',
    ]);
  });

  it.each([
    ['format=xml', 'format'],
    ['limit=5', 'limit: unknown key'],
    ['cursor=x', 'cursor: unknown key'],
  ])('refuses ?%s and names the key', async (query, message) => {
    const answer = await get(`export?${query}`);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'WDR_BODY_INVALID']);
    expect(answer.body.error.message).toContain(message);
  });

  it('is for auditors only', async () => {
    expect((await get('export', 'admin')).status).toBe(403);
  });

  it('refuses more at once than it may run, and takes the next one when one has ended', async () => {
    await publish('slow', () => 'x'.repeat(10_000), 2_000);
    const controllers = Array.from({ length: 4 }, () => new AbortController());
    const headers = { authorization: `Bearer ${bearers.auditor}` };
    const url = `${running.url}/admin/audit/export?upstream=slow`;
    // Answers whose bodies nobody reads stay open.
    const open = await Promise.all(controllers.map(({ signal }) => fetch(url, { headers, signal })));
    expect(open.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const refused = await get('export?upstream=slow');
    expect([refused.status, refused.body.error.code]).toEqual([503, 'WDR_EXPORT_BUSY']);
    const bundle = await get('bundle?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z');
    expect([bundle.status, bundle.body.error.code]).toEqual([503, 'WDR_EXPORT_BUSY']);
    for (const controller of controllers) controller.abort();
    await vi.waitFor(async () => expect((await whole('export?upstream=csv')).status).toBe(200));
    await vi.waitFor(async () => {
      const { calls } = (await get('calls?kind=export&text=slow&limit=500')).body as { calls: AuditRecord[] };
      const ended = calls.filter(({ method }) => method === 'admin/audit/export.end');
      expect(ended.map(({ personal }) => personal?.arguments)).toMatchObject(
        controllers.map(() => ({ value: { isWhole: false } })),
      );
      expect(calls.filter(({ refusal }) => refusal?.code === 'WDR_EXPORT_BUSY')).toHaveLength(1);
    });
  });
});
