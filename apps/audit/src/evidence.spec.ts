import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import {
  AuditCheckpoint,
  auditCheckpointTopic,
  type AuditRecord,
  auditDeadLetterTopic,
  auditRecordedTopic,
  principalStateTopic,
  tokenStateTopic,
} from '@warder/contracts';
import { type Journal, openJournal } from '@warder/journal';
import {
  makeCheckpoint,
  CompactRange,
  leafHashOf,
  readCheckpoint,
  recordLeafOf,
  verifyInclusion,
} from '@warder/merkle-log';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import pg from 'pg';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { auditService } from './index.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const bearers = { auditor: issueToken(randomBytes), member: issueToken(randomBytes) };
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const { log: _log, sequence: _sequence, commitment: _commitment, ...example } = auditRecordedTopic.example;
const recordId = (n: number): string => `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`;

describe('the evidence of the audit service', () => {
  let dir: string;
  let database: EmbeddedPostgres;
  let bus: Bus;
  let running: RunningHost;
  let journal: Journal;
  let lastRecord = 0;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'warder-evidence-'));
    database = await startEmbeddedPostgres({
      dataDir: join(dir, 'postgres'),
      ephemeral: true,
      tcp: { password: 'test' },
    });
    bus = createInProcessBus({ node: 'audit', log, clock });
    await bus.own(principalStateTopic);
    await bus.own(tokenStateTopic);
    for (const [role, bearer] of Object.entries(bearers)) {
      const id = `usr_${role}`;
      const principal = { ...principalStateTopic.example, version: 1, id, email: null, groups: [] };
      await bus.publish(principalStateTopic, id, { ...principal, roles: [role as keyof typeof bearers] });
      const token = { ...tokenStateTopic.example, version: 1, id: `pat_${role}`, principalId: id, pepperKeyId: 'p1' };
      await bus.publish(tokenStateTopic, digestOf(bearer, PEPPER), { ...token, expiresAtMs: Date.now() + 3_600_000 });
    }
    const config = { database: { url: database.tcpUrl }, pepper: { current: 'p1', keys: { p1: PEPPER } } };
    running = await startServiceForTest(auditService, config, { bus, clock });
    await vi.waitUntil(async () => (await get('checkpoints')).status === 200, { timeout: 10_000 });
    await openAnew();
  });
  afterAll(async () => {
    await journal?.close();
    await running?.stop();
    await bus?.close();
    await database?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const get = (path: string, role: keyof typeof bearers = 'auditor') =>
    request(running.url).get(`/admin/audit/${path}`).set('authorization', `Bearer ${bearers[role]}`);

  /** Signs what there is, for a journal does so when it closes. */
  async function openAnew(): Promise<void> {
    await journal?.close();
    journal = await openJournal({
      dir: join(dir, 'journal'),
      node: 'n1',
      sizeMaxBytes: 1 << 20,
      segmentBytes: 262_144,
      drain: {
        kind: 'publish',
        publish: (entries) => bus.publishRaw(auditRecordedTopic, entries),
        publishCheckpoint: (entry) => bus.publishRaw(auditCheckpointTopic, [entry]),
      },
      checkpoints: { privateKey, everyMs: 3_600_000 },
      log,
      clock,
    });
  }

  async function record(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const text = { ...example, recordId: recordId(++lastRecord), occurredAtMs: Date.now() };
      await journal.append(JSON.stringify(text));
    }
  }

  const logOf = (): string => journal.log;
  const checkpoints = async (): Promise<AuditCheckpoint[]> =>
    (await get(`checkpoints?log=${encodeURIComponent(logOf())}`)).body.checkpoints as AuditCheckpoint[];

  it('keeps checkpoints as they came, and proves each record by one of them', async () => {
    await record(5);
    await openAnew();
    await record(8);
    await openAnew();
    const kept = await checkpoints();
    expect(kept.map(({ leavesFrom, size }) => [leavesFrom, size])).toEqual([
      [0, 5],
      [5, 13],
    ]);
    for (let n = 1; n <= 13; n++) {
      const { body, status } = await get(`calls/${recordId(n)}/proof`);
      expect([status, body.index]).toEqual([200, n - 1]);
      const read = readCheckpoint(AuditCheckpoint.parse(body.checkpoint));
      if ('fault' in read) throw new Error(read.fault);
      const path = (body.path as string[]).map((hash) => Buffer.from(hash, 'base64'));
      const leaf = recordLeafOf(Buffer.from(body.record as string));
      expect([read.isSignedBy(publicKey), verifyInclusion({ index: n - 1, ...read }, leaf, path)]).toEqual([
        true,
        true,
      ]);
    }
  });

  it('says that a record is not proved yet, and one that it does not have', async () => {
    await record(1);
    await vi.waitUntil(async () => (await get(`calls/${recordId(lastRecord)}`)).status === 200, { timeout: 10_000 });
    const early = await get(`calls/${recordId(lastRecord)}/proof`);
    expect([early.status, early.body.error.code]).toEqual([409, 'WDR_RECORD_UNPROVEN']);
    const unknown = await get(`calls/${recordId(999)}/proof`);
    expect([unknown.status, unknown.body.error.code]).toEqual([404, 'WDR_RECORD_UNKNOWN']);
  });

  it('bundles the checkpoints of a time behind the records that they name, in their order', async () => {
    const from = new Date().toISOString();
    await openAnew();
    await record(3);
    await openAnew();
    const { text, headers } = await get(`bundle?from=${from}&to=${new Date(Date.now() + 1).toISOString()}`).buffer(
      true,
    );
    expect(headers['content-type']).toBe('application/x-ndjson');
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object)[0])).toEqual([
      'bundle',
      'base',
      'log',
      'origin',
      'log',
      'log',
      'log',
      'origin',
      'bundle',
    ]);
    expect(JSON.parse(lines.at(-1)!)).toEqual({
      bundle: 'end',
      records: 4,
      checkpoints: 2,
      missing: 0,
      unnamed: [],
    });
    const indexes = lines.flatMap((line) => (JSON.parse(line) as { index?: number }).index ?? []);
    expect(indexes).toEqual([13, 14, 15, 16]);
  });

  it('puts a bundle on record before its first byte, and with its amount at its end', async () => {
    const asked = { from: '2020-01-01T00:00:00Z', to: new Date(Date.now() + 1).toISOString() };
    const { text } = await get(`bundle?${new URLSearchParams(asked).toString()}`).buffer(true);
    const lines = text.trimEnd().split('\n');
    const records = lines.filter((line) => 'recordId' in (JSON.parse(line) as object)).length;
    expect(records).toBeGreaterThan(0);
    await vi.waitFor(
      async () => {
        const { body } = await get('calls?kind=export&limit=500');
        const told = (body.calls as AuditRecord[]).filter(({ personal }) =>
          JSON.stringify(personal?.arguments).includes(`"to":"${asked.to}"`),
        );
        expect(told.map(({ method }) => method).toSorted()).toEqual([
          'admin/audit/bundle.begin',
          'admin/audit/bundle.end',
        ]);
        const end = told.find(({ method }) => method === 'admin/audit/bundle.end')!;
        expect(end.personal).toMatchObject({
          arguments: { value: { ...asked, records, isWhole: true } },
          result: { bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') },
        });
      },
      { timeout: 60_000, interval: 100 },
    );
  });

  it('sets what is no checkpoint aside, and keeps both of two that say different things', async () => {
    const letters: { topic: string; reason: string }[] = [];
    await bus.watch(auditDeadLetterTopic, 'end', ({ value }) => letters.push(value));
    const range = new CompactRange();
    range.append(leafHashOf(Buffer.from('another history')));
    const leaves = range.root().subarray(0, 8);
    const fork = makeCheckpoint({ origin: logOf(), range, leavesFrom: 0, leaves, atMs: 5 }, privateKey);
    const twice = makeCheckpoint({ origin: logOf(), range, leavesFrom: 0, leaves, atMs: 6 }, privateKey);
    const broken = { ...fork, size: 2, leaves: Buffer.alloc(16).toString('base64') };
    const nul = makeCheckpoint({ origin: 'a\0b', range, leavesFrom: 0, leaves, atMs: 5 }, privateKey);
    const values = [
      'no JSON',
      '{}',
      JSON.stringify(broken),
      JSON.stringify(nul),
      JSON.stringify(fork),
      JSON.stringify(twice),
    ];
    await bus.publishRaw(
      auditCheckpointTopic,
      values.map((value) => ({ key: 'k', value: Buffer.from(value) })),
    );
    const kept = (await checkpoints()).filter(({ size }) => size === 1);
    expect(kept.map(({ atMs }) => atMs).toSorted((a, b) => a - b)).toEqual([5, 6]);
    expect(letters.map(({ topic, reason }) => [topic, reason])).toEqual([
      ['warder.audit.checkpoint.v1', 'not JSON in UTF-8'],
      ['warder.audit.checkpoint.v1', 'not a checkpoint'],
      ['warder.audit.checkpoint.v1', 'not a checkpoint: its note says something else'],
      ['warder.audit.checkpoint.v1', 'the store refused it: SQLSTATE 22021'],
    ]);
  });

  it('pages through the checkpoints of all logs', async () => {
    const seen: AuditCheckpoint[] = [];
    let cursor = '';
    do {
      const { body } = await get(`checkpoints?limit=2${cursor}`);
      seen.push(...(body.checkpoints as AuditCheckpoint[]));
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor as string}`;
    } while (cursor !== '');
    expect(seen.map(({ size }) => size)).toEqual([1, 1, 5, 13, 14, 17]);
    expect((await get('checkpoints?cursor=x')).body.error.code).toBe('WDR_BODY_INVALID');
  });

  it.each(['checkpoints', `calls/${recordId(1)}/proof`, 'bundle?from=0&to=1'])(
    'shows %s to auditors alone',
    async (path) => {
      expect((await get(path, 'member')).status).toBe(403);
      expect((await request(running.url).get(`/admin/audit/${path}`)).status).toBe(401);
    },
  );

  it('answers 409 where a record of the range was removed, and does not make a proof of what is left', async () => {
    const client = new pg.Client({ connectionString: database.tcpUrl, options: '-c search_path=audit' });
    await client.connect();
    await client.query('DELETE FROM call_record WHERE record_id = $1', [recordId(2)]);
    await client.end();
    const { status, body } = await get(`calls/${recordId(1)}/proof`);
    expect([status, body.error.message]).toEqual([409, 'the records of its range are not those of the checkpoint']);
  });
});
