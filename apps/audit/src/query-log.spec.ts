import { createHash, randomBytes } from 'node:crypto';
import { AdminAccess } from '@warder/admin-access';
import { type Bus, createInProcessBus } from '@warder/bus';
import { type AuditRecord, principalStateTopic, tokenStateTopic } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import pg from 'pg';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { auditService } from './index.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const KEY = 'AKIAQ3EGRVZJXK7PLM2N';
const CARD = '4539 1488 0343 6467';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const bearer = issueToken(randomBytes);

// Records travel over the bus and into the store, on whatever machine this is.
const eventually = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { timeout: 20_000, interval: 100 });

describe('a question to the audit', () => {
  let database: EmbeddedPostgres;
  let bus: Bus;
  let running: RunningHost;

  beforeAll(async () => {
    database = await startEmbeddedPostgres({ ephemeral: true, tcp: { password: 'test' } });
    bus = createInProcessBus({ node: 'audit', log, clock });
    await bus.own(principalStateTopic);
    await bus.own(tokenStateTopic);
    const principal = { ...principalStateTopic.example, id: 'usr_eve', email: 'eve@example.com', groups: [] };
    await bus.publish(principalStateTopic, principal.id, { ...principal, version: 1, roles: ['auditor'] });
    const token = { ...tokenStateTopic.example, id: 'pat_eve', principalId: principal.id, pepperKeyId: 'p1' };
    await bus.publish(tokenStateTopic, digestOf(bearer, PEPPER), { ...token, expiresAtMs: Date.now() + 3_600_000 });
    const config = { database: { url: database.tcpUrl }, pepper: { current: 'p1', keys: { p1: PEPPER } } };
    running = await startServiceForTest(auditService, config, { bus, clock });
    // The guard knows nobody before its replicas are there.
    await vi.waitUntil(async () => (await get('quarantine?limit=1')).status === 200, { timeout: 30_000 });
  });
  afterAll(async () => {
    await running?.stop();
    await bus?.close();
    await database?.stop();
  });

  const get = (path: string) =>
    request(running.url).get(`/admin/audit/${path}`).set('authorization', `Bearer ${bearer}`);
  /** The stored record of a question of that kind. */
  const recordOf = (method: string) =>
    eventually(async () => {
      const { body } = await get('calls?kind=query&limit=500');
      const found = (body.calls as AuditRecord[]).find((record) => record.method === `admin/audit/${method}`);
      expect(found).toBeDefined();
      return found!;
    });
  const sql = async (statement: string): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: database.tcpUrl! });
    await client.connect();
    try {
      return (await client.query<object>(statement)).rows;
    } finally {
      await client.end();
    }
  };

  it('leaves a record of who asked, with which filters, and the hash of what was answered', async () => {
    const answer = await get('who-used?upstream=github&days=7');
    const record = await recordOf('use.list');
    expect(record).toMatchObject({
      log: 'admin/audit',
      kind: 'query',
      principal: { id: 'usr_eve' },
      agent: { id: 'pat_eve' },
      capture: 'request',
      decision: 'permit',
      outcome: 'success',
      personal: {
        principal: { email: 'eve@example.com' },
        address: '127.0.0.1',
        arguments: { value: { upstream: 'github', days: '7' } },
        result: {
          bytes: Buffer.byteLength(answer.text),
          sha256: createHash('sha256').update(answer.text).digest('hex'),
        },
      },
    });
  });

  it.each([
    ['calls?human=ana@example.com&limit=3', 'call.list', { human: 'ana@example.com', limit: '3' }, undefined],
    ['calls/0193673e-7c1f', 'call.read', { recordId: '0193673e-7c1f' }, 'WDR_RECORD_UNKNOWN'],
    ['quarantine?from=1', 'quarantine.list', { from: '1' }, 'WDR_BODY_INVALID'],
    ['checkpoints?log=n1/0abc', 'checkpoint.list', { log: 'n1/0abc' }, undefined],
    ['calls/0193673e-7c1e/proof', 'proof.read', { recordId: '0193673e-7c1e' }, 'WDR_RECORD_UNKNOWN'],
    ['exporters', 'exporter.list', {}, undefined],
  ])('is on record whatever becomes of it: %s', async (path, method, filters, code) => {
    await get(path);
    await eventually(async () => {
      const { body } = await get('calls?kind=query&limit=500');
      const found = (body.calls as AuditRecord[]).find(({ personal }) =>
        JSON.stringify(personal?.arguments).includes(`"value":${JSON.stringify(filters)}`),
      );
      expect(found?.method).toBe(`admin/audit/${method}`);
      expect([found?.outcome, found?.refusal?.code]).toEqual([code === undefined ? 'success' : 'failure', code]);
    });
  });

  it.each([
    ['secret.aws-access-key', KEY],
    ['pii.card', CARD],
  ])('keeps what somebody looks for out of the record where it is a %s', async (kind, value) => {
    await get(`calls?text=${encodeURIComponent(value)}`);
    await eventually(async () => {
      expect((await get('calls?kind=query&text=redacted')).text).toContain(`[redacted:${kind}]`);
    });
    expect(JSON.stringify(await sql('SELECT record::text FROM audit.call_record'))).not.toContain(value);
  });

  it('keeps the address of whom somebody asked after', async () => {
    await get('calls?text=ana@example.com');
    await eventually(async () => {
      expect((await get('calls?kind=query&text=ana@example')).text).toContain('"text":"ana@example.com"');
    });
  });

  it('is not answered while it cannot be put on record', async () => {
    await sql('ALTER TABLE audit.outbox RENAME TO outbox_away');
    try {
      const answer = await get('quarantine');
      expect([answer.status, answer.body.error.code]).toEqual([503, 'WDR_STORE_UNAVAILABLE']);
      expect(answer.body.rows).toBeUndefined();
    } finally {
      await sql('ALTER TABLE audit.outbox_away RENAME TO outbox');
    }
    expect((await get('quarantine')).status).toBe(200);
  });

  it('is on record where it was refused at the door, counted', async () => {
    for (let at = 0; at < 3; at += 1) await get('calls').set('authorization', 'Bearer made-up');
    expect(await running.app.get(AdminAccess).refused.flush()).toBe(0);
    await eventually(async () => {
      const { body } = await get('calls?code=WDR_TOKEN_UNKNOWN');
      expect(body.calls).toMatchObject([
        {
          log: 'admin/audit',
          kind: 'authentication',
          method: 'admin/audit/request.refuse',
          decision: 'forbid',
          outcome: 'failure',
          count: 3,
          personal: { arguments: { value: { method: 'GET', route: '/admin/audit/calls' } }, address: '127.0.0.1' },
        },
      ]);
    });
  });

  it('is on record once where it is refused behind the door, with what was asked', async () => {
    await get('calls?canary-7c=1&upstream=once');
    await get('none/such');
    await running.app.get(AdminAccess).refused.flush();
    await eventually(async () => {
      const { body } = await get('calls?code=WDR_PATH_UNKNOWN');
      expect((body.calls as AuditRecord[]).map(({ method }) => method)).toEqual(['admin/audit/request.refuse']);
      const { body: invalid } = await get('calls?code=WDR_BODY_INVALID&text=once');
      expect((invalid.calls as AuditRecord[]).map(({ method }) => method)).toEqual(['admin/audit/call.list']);
    });
    const noted = (await get('calls?code=WDR_BODY_INVALID&limit=500')).body.calls as AuditRecord[];
    expect(noted.filter(({ method }) => method === 'admin/audit/request.refuse')).toEqual([]);
    expect(noted.map(({ personal }) => personal?.refusalDetail)).toContain('a key: unknown key');
  });

  it('is numbered without a gap', async () => {
    const rows = (await sql(
      `SELECT (SELECT last_sequence FROM audit.admin_record_log WHERE log = 'admin/audit')::int AS last`,
    )) as { last: number }[];
    const last = rows[0]!.last;
    expect(last).toBeGreaterThan(5);
    await eventually(async () => {
      const stored = (await sql(
        `SELECT sequence::int AS sequence FROM audit.call_record WHERE log = 'admin/audit' AND sequence <= ${last} ORDER BY 1`,
      )) as { sequence: number }[];
      expect(stored.map(({ sequence }) => sequence)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
    });
  });
});
