import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdminAccess } from '@warder/admin-access';
import { type Bus, createInProcessBus } from '@warder/bus';
import { type AuditRecord, auditRecordedTopic, principalStateTopic, tokenStateTopic } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { auditService } from '../index.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const bearers = { admin: issueToken(randomBytes), auditor: issueToken(randomBytes), member: issueToken(randomBytes) };

describe('the door of the keeping', () => {
  let dataDir: string;
  let database: EmbeddedPostgres;
  let bus: Bus;
  let running: RunningHost;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'warder-keeping-'));
    database = await startEmbeddedPostgres({
      dataDir: join(dataDir, 'pg'),
      ephemeral: true,
      tcp: { password: 'test' },
    });
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
    const config = {
      database: { url: database.tcpUrl },
      pepper: { current: 'p1', keys: { p1: PEPPER } },
      archive: { dir: join(dataDir, 'archive'), memoryMaxBytes: 134_217_728 },
    };
    running = await startServiceForTest(auditService, config, {
      bus,
      clock,
      settings: { bounds: { bodyBytesMax: 65_536 } },
    });
    await vi.waitUntil(async () => (await get('holds')).status === 200, { timeout: 10_000 });
  });
  afterAll(async () => {
    await running?.stop();
    await bus?.close();
    await database?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const get = (path: string, role: keyof typeof bearers = 'auditor') =>
    request(running.url).get(`/admin/audit/${path}`).set('authorization', `Bearer ${bearers[role]}`);
  const post = (path: string, body: object, role: keyof typeof bearers = 'admin') =>
    request(running.url).post(`/admin/audit/${path}`).set('authorization', `Bearer ${bearers[role]}`).send(body);

  const flush = () => running.app.get(AdminAccess).refused.flush();

  it('places and releases a hold, says who did, and leaves a record of each', async () => {
    const placed = await post('holds', { name: 'case 7', reason: 'a court asked', subject: 'usr_held' });
    expect([placed.status, placed.body.placedBy]).toEqual([201, 'usr_admin']);
    const refused = await post('erasures', { subject: 'usr_held', reason: 'asked' });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'WDR_LEGAL_HOLD']);
    const released = await post(`holds/${placed.body.id}/release`, {});
    expect([released.status, released.body.releasedBy]).toEqual([200, 'usr_admin']);
    const listed = await get('holds');
    expect(listed.body.holds).toEqual([released.body]);
    await flush();
    await vi.waitFor(async () => {
      const { calls } = (await get('calls?kind=admin')).body as { calls: AuditRecord[] };
      expect(calls.map(({ method }) => method).toSorted()).toEqual([
        'admin/audit/hold.place',
        'admin/audit/hold.release',
        'admin/audit/request.refuse',
      ]);
    });
  });

  it('erases on request, and says when it is done and of how many records', async () => {
    const recordId = '0193673e-7c1f-7d5e-8a55-00000000e001';
    const principal = { id: 'usr_gone', kind: 'human', groups: [] };
    const record = { ...auditRecordedTopic.example, recordId, principal, occurredAtMs: Date.now() - 1_000 };
    await bus.publish(auditRecordedTopic, recordId, record);
    const requested = await post('erasures', { subject: 'usr_gone', reason: 'she asked' });
    expect([requested.status, requested.body.state]).toEqual([202, 'requested']);
    await vi.waitFor(async () => {
      const [erasure] = (await get('erasures')).body.erasures;
      expect(erasure).toMatchObject({ id: requested.body.id, state: 'finished', records: 1 });
    });
    expect((await get(`calls/${recordId}`)).body).toEqual({ ...record, personal: null });
  });

  it('tells of the archive', async () => {
    expect((await get('archive')).body).toEqual({ isConfigured: true, days: [] });
  });

  it.each([
    ['holds', { name: 'x' }, 400, 'WDR_BODY_INVALID'],
    ['holds', { name: 'x', reason: 'y', fromDay: '2026-02-02', toDay: '2026-02-01' }, 400, 'WDR_BODY_INVALID'],
    ['holds', { name: 'x', reason: 'y', fromDay: '2026-02-31' }, 400, 'WDR_BODY_INVALID'],
    ['holds/x/release', {}, 404, 'WDR_HOLD_UNKNOWN'],
    ['erasures', { subject: '' }, 400, 'WDR_BODY_INVALID'],
  ])('refuses %s with %j', async (path, body, status, code) => {
    const answer = await post(path, body);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });

  it('puts on record whom it refused what, on which route, and a flood of it in few records', async () => {
    const refused = async () =>
      ((await get('calls?kind=admin&limit=500')).body as { calls: AuditRecord[] }).calls
        .filter(({ method }) => method === 'admin/audit/request.refuse')
        .toReversed();
    await flush();
    await post('holds', { canary: 'hidden-7c' });
    await post('holds/none/release', {});
    await post('holds', { name: 'case 8', reason: 'a court asked', subject: 'usr_kept' });
    await post('erasures', { subject: 'usr_kept', reason: 'asked' });
    await post('holds', { name: 'x'.repeat(70_000) });
    await flush();
    await vi.waitFor(async () => expect((await refused()).at(-1)?.refusal?.code).toBe('WDR_BODY_TOO_LARGE'));
    const all = await refused();
    expect(
      all
        .slice(-4)
        .map(({ principal, refusal, decision, personal }) => [
          [principal?.id, decision, refusal?.code],
          personal?.arguments,
        ]),
    ).toMatchObject([
      [['usr_admin', 'permit', 'WDR_BODY_INVALID'], { value: { method: 'POST', route: '/admin/audit/holds' } }],
      [
        ['usr_admin', 'permit', 'WDR_HOLD_UNKNOWN'],
        { value: { method: 'POST', route: '/admin/audit/holds/:id/release' } },
      ],
      [['usr_admin', 'permit', 'WDR_LEGAL_HOLD'], { value: { method: 'POST', route: '/admin/audit/erasures' } }],
      [['usr_admin', 'permit', 'WDR_BODY_TOO_LARGE'], { value: { method: 'POST', route: '/admin/audit/holds' } }],
    ]);
    expect(JSON.stringify(all)).not.toMatch(/hidden-7c|xxx/);
    for (let n = 0; n < 100; n += 1) await post('holds/none/release', {});
    await flush();
    await vi.waitFor(async () => {
      const flood = (await refused()).slice(all.length);
      expect(flood.reduce((sum, { count }) => sum + count, 0)).toBe(100);
      // One, of each of the windows that it may fall into.
      expect(flood.length).toBeLessThanOrEqual(2);
    });
  });

  it('lets an auditor read and change nothing, and a member not even read', async () => {
    expect((await post('holds', { name: 'x', reason: 'y' }, 'auditor')).status).toBe(403);
    expect((await post('erasures', { subject: 'x', reason: 'y' }, 'auditor')).status).toBe(403);
    for (const path of ['holds', 'erasures', 'archive']) expect((await get(path, 'member')).status).toBe(403);
  });
});
