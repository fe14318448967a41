import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { createInProcessBus, type Bus, type RawMessage } from '@warder/bus';
import {
  AuditCallsQuery,
  auditDeadLetterTopic,
  type AuditRecord,
  auditRecordedTopic,
  WhoUsedQuery,
} from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { createLogger, Metrics } from '@warder/telemetry';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CallPages } from './call-pages.store.js';
import { CallStore } from './call.store.js';
import { Ingest } from './ingest.js';
import { CreateAudit1790000002000 } from './migrations/create-audit.js';
import { FoldUsage1790000002700 } from './migrations/fold-usage.js';
import { PartitionStore } from './partition.store.js';
import { columnsOf } from './record-columns.js';
import { RecordStore } from './record.store.js';
import { storeBatch } from './store-batch.js';
import { TextIndexStore } from './text-index.store.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const NOW = Date.parse('2026-11-25T12:00:00Z');
const clock = { wallMs: () => NOW, monotonicMs: () => performance.now() };

describe('the audit store', () => {
  let postgres: EmbeddedPostgres;
  let source: DataSource;
  let bus: Bus;
  let records: RecordStore;
  let calls: CallStore;

  beforeAll(async () => {
    postgres = await startEmbeddedPostgres({ ephemeral: true });
    bus = createInProcessBus({ node: 'audit', log: quiet, clock });
    await bus.ensureTopics([auditDeadLetterTopic]);
    source = new DataSource({ type: 'postgres', url: postgres.url, migrations: [CreateAudit1790000002000] });
    await source.initialize();
    await source.runMigrations();
    records = new RecordStore(source, bus, clock.wallMs);
    const textIndex = new TextIndexStore(source, source);
    calls = new CallStore(source, new CallPages({ source, textIndex, cold: undefined, scanRowsMax: 1_000 }));
  });
  beforeEach(() => source.query('TRUNCATE call_record, usage_day, usage_seen, quarantine'));
  afterAll(async () => {
    await source?.destroy();
    await bus?.close();
    await postgres?.stop();
  });

  const message = (value: string | Buffer, offset = 0): RawMessage => ({
    key: 'k',
    value: Buffer.from(value),
    partition: 0,
    offset: String(offset),
    timestampMs: NOW,
  });
  const idOf = (n: number): string => `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`;
  const recordOf = (n: number, change: Partial<AuditRecord> = {}): AuditRecord => ({
    ...auditRecordedTopic.example,
    sequence: n,
    recordId: idOf(n),
    occurredAtMs: NOW - n * 1_000,
    ...change,
  });
  const withArguments = (n: number, value: unknown): AuditRecord => {
    const record = recordOf(n);
    return { ...record, personal: { ...record.personal!, arguments: { bytes: 1, value } } };
  };
  const store = (...batch: AuditRecord[]) =>
    storeBatch(
      batch.map((one) => message(JSON.stringify(one))),
      records,
    );
  const find = async (query: Record<string, string>) =>
    JSON.parse(await calls.calls(AuditCallsQuery.parse(query))) as { calls: AuditRecord[]; nextCursor: string | null };
  const whoUsed = async (query: Record<string, string>) =>
    (JSON.parse(await calls.whoUsed(WhoUsedQuery.parse(query), NOW)) as { uses: Record<string, unknown>[] }).uses;

  it('stores and counts a record once, however often it comes', async () => {
    const twice = [recordOf(1), recordOf(2), recordOf(1)];
    expect(await store(...twice)).toEqual({ stored: 2, known: 1, quarantined: 0 });
    expect(await store(...twice)).toEqual({ stored: 0, known: 3, quarantined: 0 });
    expect((await find({})).calls).toEqual([recordOf(1), recordOf(2)]);
    expect((await whoUsed({}))[0]).toMatchObject({ count: 2 });
  });

  it('stores and counts what is new beside what was stored before, batch after batch', async () => {
    expect(await store(recordOf(1), recordOf(2))).toEqual({ stored: 2, known: 0, quarantined: 0 });
    expect(await store(recordOf(2), recordOf(3))).toEqual({ stored: 1, known: 1, quarantined: 0 });
    expect(await store(recordOf(3), recordOf(4))).toEqual({ stored: 1, known: 1, quarantined: 0 });
    expect(await store(recordOf(5))).toEqual({ stored: 1, known: 0, quarantined: 0 });
    expect(await store(recordOf(6), recordOf(1), recordOf(6))).toEqual({ stored: 1, known: 2, quarantined: 0 });
    expect((await find({})).calls.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await whoUsed({}))[0]).toMatchObject({ count: 6 });
  });

  it('answers numbers to the digit', async () => {
    const text = JSON.stringify(recordOf(1)).replace('"hi"', '1234567890123456789, "big": 1e400, "minus": -0');
    await storeBatch([message(text)], records);
    expect(await calls.calls(AuditCallsQuery.parse({}))).toBe(`{"calls":[${text}],"nextCursor":null}`);
    expect(await calls.call(idOf(1))).toBe(text);
    expect(await calls.whoUsed(WhoUsedQuery.parse({}), NOW)).toContain('1234567890123456789,"big":1e400,"minus":-0');
  });

  it('sets aside what is no record or what the store refuses, and stores the rest of the batch', async () => {
    const letters: string[] = [];
    const reader = await bus.watch(auditDeadLetterTopic, 'end', ({ value }) => letters.push(value.reason));
    const batch = [
      message(JSON.stringify(recordOf(1)), 0),
      message('{"a":', 1),
      message(Buffer.from([0xff, 0xfe]), 2),
      message(`${JSON.stringify(recordOf(2))},${JSON.stringify(recordOf(3))}`, 3),
      message(JSON.stringify({ ...recordOf(4), decision: 'maybe' }), 4),
      message(JSON.stringify(recordOf(5, { occurredAtMs: 1e300 })), 5),
      message(JSON.stringify(recordOf(6, { tool: 'a\u0000b' })), 6),
      message(JSON.stringify(withArguments(7, 'a\u0000\ud800b')), 7),
      message(JSON.stringify(recordOf(8)), 8),
      message(JSON.stringify(recordOf(9, { tool: randomBytes(4_000).toString('hex') })), 9),
      message(JSON.stringify({ ...recordOf(10), schemaVersion: 3 }), 10),
    ];
    expect(await storeBatch(batch, records)).toEqual({ stored: 2, known: 0, quarantined: 9 });
    expect(await storeBatch(batch, records)).toEqual({ stored: 0, known: 2, quarantined: 9 });
    expect((await find({})).calls.map(({ sequence }) => sequence)).toEqual([1, 8]);
    const { rows } = JSON.parse(await calls.quarantine({ limit: 50 })) as {
      rows: { offset: string; value: string; reason: string }[];
    };
    const byOffset = rows.toSorted((a, b) => Number(a.offset) - Number(b.offset));
    expect(byOffset.map(({ offset, reason }) => [offset, reason])).toEqual([
      ['1', 'not JSON'],
      ['2', 'not UTF-8'],
      ['3', 'not JSON'],
      ['4', 'not an audit record: decision: invalid_value'],
      ['5', 'the store refused it: SQLSTATE 22008'],
      ['6', 'a text with a NUL or half of a surrogate pair'],
      ['7', 'a text with a NUL or half of a surrogate pair'],
      ['9', 'the store refused it: SQLSTATE 54000'],
      ['10', 'not an audit record: schemaVersion: invalid_value'],
    ]);
    expect(rows.find(({ offset }) => offset === '2')?.value).toBe('//4=');
    await expect.poll(() => letters.length).toBe(18);
    await reader.stop();
  });

  it('writes a dead letter that its topic takes of whatever came, and keeps all of that', async () => {
    const letters: string[] = [];
    const reader = await bus.watch(auditDeadLetterTopic, 'end', ({ value }) => letters.push(JSON.stringify(value)));
    // Compressed, a broker takes both.
    const huge = { ...message(randomBytes(3_000_000).toString('hex')), key: '\u0001'.repeat(1_000_000) };
    expect(await storeBatch([huge], records)).toMatchObject({ quarantined: 1 });
    await expect.poll(() => letters.length).toBe(1);
    expect(letters[0]!.length).toBeLessThan(auditDeadLetterTopic.messageBytesMax);
    expect(JSON.parse(letters[0]!)).toMatchObject({ offset: '0', value: '', reason: 'not JSON' });
    const [kept] = await source.query('SELECT length(value) AS bytes, length(key) AS units FROM quarantine');
    expect(kept).toEqual({ bytes: 6_000_000, units: 1_000_000 });
    await reader.stop();
  });

  it('finds by each filter, and only what all of them hold for', async () => {
    const other = recordOf(2, {
      principal: { id: 'usr_bo', kind: 'human', groups: [] },
      agent: { id: 'pat_bo', kind: 'pat' },
      virtualServer: 'ops',
      upstream: 'files',
      tool: 'read_file',
      decision: 'forbid',
      outcome: 'failure',
      kind: 'list',
      refusal: { code: 'WDR_TOOL_FORBIDDEN' },
      personal: {
        ...auditRecordedTopic.example.personal!,
        principal: { name: 'Bo', email: 'Bo@Example.com' },
        agent: { name: 'desk' },
        arguments: { bytes: 1, value: { path: '50%_"off"\\' } },
      },
    });
    const personal = { ...auditRecordedTopic.example.personal!, principal: null, agent: null };
    await store(recordOf(1), other, recordOf(3, { principal: null, agent: null, personal }));
    const queries: Record<string, string>[] = [
      { human: 'usr_bo' },
      { human: 'bo@example.com' },
      { human: 'Bo' },
      { agent: 'pat_bo' },
      { agent: 'desk' },
      { virtualServer: 'ops' },
      { upstream: 'files' },
      { tool: 'read_file' },
      { decision: 'forbid' },
      { outcome: 'failure' },
      { kind: 'list' },
      { code: 'WDR_TOOL_FORBIDDEN' },
      { text: '50%_"OFF"\\' },
      { from: new Date(NOW - 2_000).toISOString(), to: String(NOW - 1_000) },
    ];
    for (const query of queries) expect([query, (await find(query)).calls]).toEqual([query, [other]]);
    const misses: Record<string, string>[] = [{ text: '50x_' }, { human: 'bo' }, { upstream: 'files', tool: 'echo' }];
    for (const query of misses) {
      expect([query, (await find(query)).calls]).toEqual([query, []]);
    }
  });

  it('pages over everything once, newest first, records of one time included', async () => {
    const all = Array.from({ length: 25 }, (_, n) =>
      recordOf(n + 1, { occurredAtMs: NOW - Math.floor(n / 10) + 0.25 }),
    );
    await store(...all);
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page++) {
      expect(page).toBeLessThan(5);
      const found: Awaited<ReturnType<typeof find>> = await find({ limit: '7', ...(cursor ? { cursor } : {}) });
      seen.push(...found.calls.map(({ recordId }) => recordId));
      cursor = found.nextCursor;
    }
    const newestFirst = all.toSorted((a, b) => b.occurredAtMs - a.occurredAtMs || (a.recordId < b.recordId ? 1 : -1));
    expect(seen).toEqual(newestFirst.map(({ recordId }) => recordId));
    await expect(find({ cursor: 'bm9uc2Vuc2U' })).rejects.toThrow('cursor');
  });

  it('says who used an upstream, with which agent, tool and arguments', async () => {
    const day = 86_400_000;
    await store(
      ...[1, 2, 3, 4].map((n) => withArguments(n, { n })),
      recordOf(5, { decision: 'forbid', outcome: 'failure' }),
      recordOf(6, { upstream: 'files', tool: 'read_file' }),
      recordOf(7, { occurredAtMs: NOW - 40 * day }),
      recordOf(8, { tool: 'add', decision: 'forbid' }),
      recordOf(9, { kind: 'list', tool: null }),
    );
    expect(await whoUsed({ upstream: 'everything', days: '30' })).toEqual([
      {
        agent: { id: 'pat_01jd3x9q', name: 'laptop' },
        human: { id: 'usr_01jd3x7k', name: 'Ana Ortiz', email: 'ana@example.com' },
        upstream: 'everything',
        tool: 'echo',
        count: 4,
        refused: 1,
        firstAtMs: NOW - 5_000,
        lastAtMs: NOW - 1_000,
        samples: [1, 2, 3].map((n) => ({
          recordId: idOf(n),
          occurredAtMs: NOW - n * 1_000,
          arguments: { bytes: 1, value: { n } },
        })),
      },
    ]);
    expect(await whoUsed({ tool: 'read_file', days: '1' })).toHaveLength(1);
    expect((await whoUsed({ upstream: 'everything', days: '60' }))[0]).toMatchObject({ count: 5 });
  });

  it('tells each use once over the pages, whatever is counted and whichever day begins meanwhile', async () => {
    const uses = ['add', 'echo', 'list', 'zip'].flatMap((tool) =>
      ['one', 'two'].map((upstream) => ({ upstream, tool })),
    );
    await store(...uses.map((use, n) => recordOf(n + 1, use)));
    const told: string[] = [];
    const days = new Set<string>();
    let page = { from: '', uses: [] as { upstream: string; tool: string }[], nextCursor: '' as string | null };
    for (let n = 0; page.nextCursor !== null; n += 1) {
      const query = WhoUsedQuery.parse({ limit: '3', ...(n === 0 ? {} : { cursor: page.nextCursor }) });
      const nowMs = n === 0 ? NOW : NOW + 29 * 86_400_000;
      page = JSON.parse(await calls.whoUsed(query, nowMs)) as typeof page;
      days.add(page.from);
      told.push(...page.uses.map(({ upstream, tool }) => `${upstream}/${tool}`));
      // What was told already is used more than all others by now.
      await store(...[1, 2, 3].map((more) => recordOf(100 + n * 10 + more, page.uses[0])));
    }
    expect(days.size).toBe(1);
    expect(told).toEqual(uses.map(({ upstream, tool }) => `${upstream}/${tool}`).toSorted());
  });

  it('stores and counts what is copied exactly as the statement that passes over what is there', async () => {
    const nobody = { ...auditRecordedTopic.example.personal!, principal: null, agent: null };
    const batch = [
      ...[1, 2, 3, 4, 5].map((n) => recordOf(n)),
      // Of one time, in another order than their ids, and written in capitals.
      ...[9, 8, 7, 6].map((n) => recordOf(n, { occurredAtMs: NOW, recordId: idOf(n).toUpperCase() })),
      recordOf(10, { decision: 'forbid', count: 7, refusal: { code: 'WDR_TOOL_FORBIDDEN' } }),
      recordOf(11, { occurredAtMs: NOW - 86_400_000, tool: null, agent: null, principal: null, personal: nobody }),
      recordOf(12, { upstream: 'files', decision: 'forbid' }),
      recordOf(13, { kind: 'list' }),
      recordOf(14, { upstream: null, virtualServer: null }),
      recordOf(15, { sequence: 2 ** 53 - 1, count: 2 ** 31 - 1, tool: 'größe-☃-𝄞', occurredAtMs: 0 }),
      recordOf(16, { personal: null }),
    ];
    const all = async () => [
      await source.query('SELECT c.*, record::text FROM call_record c ORDER BY record_id'),
      await source.query('SELECT * FROM usage_day ORDER BY upstream, tool, principal_id, agent_id, day'),
    ];
    expect(await store(...batch)).toEqual({ stored: 16, known: 0, quarantined: 0 });
    expect(await store(recordOf(17), recordOf(18, { tool: 'add' }))).toMatchObject({ stored: 2 });
    const copied = await all();
    await source.query('TRUNCATE call_record, usage_day');
    // What is there already sends the rest by the other way.
    await store(recordOf(99, { kind: 'list' }));
    expect(await store(recordOf(99, { kind: 'list' }), ...batch)).toMatchObject({ stored: 16, known: 1 });
    await store(recordOf(17), recordOf(18, { tool: 'add' }));
    await source.query('DELETE FROM call_record WHERE record_id = $1', [idOf(99)]);
    expect(await all()).toEqual(copied);
  });

  it('keeps of a day that is counted no more that there was use, and counts it once', async () => {
    const day = 86_400_000;
    const partitions = new PartitionStore(source);
    const seen = () => source.query('SELECT tool, calls, first_at AS first, last_at AS last FROM usage_seen');
    await store(
      recordOf(1, { occurredAtMs: NOW - 3 * day }),
      recordOf(2, { occurredAtMs: NOW - 2 * day }),
      recordOf(3),
    );
    await store(recordOf(4, { occurredAtMs: NOW - 3 * day, tool: 'add', decision: 'forbid' }));
    expect(await seen()).toEqual([]);
    await partitions.dropRollUps(new Date(NOW - 2 * day).toISOString().slice(0, 10));
    await partitions.dropRollUps(new Date(NOW - day).toISOString().slice(0, 10));
    await partitions.dropRollUps(new Date(NOW - day).toISOString().slice(0, 10));
    const [first, last] = [new Date(NOW - 3 * day), new Date(NOW - 2 * day)];
    expect(await seen()).toEqual([{ tool: 'echo', calls: '2', first, last }]);
    expect((await whoUsed({ days: '30' }))[0]).toMatchObject({ count: 1 });
  });

  it('takes what is counted by day out of what was counted for ever by the version before', async () => {
    await store(recordOf(1), recordOf(2), recordOf(3, { tool: 'add' }));
    const counts = () => source.query('SELECT tool, calls FROM usage_seen ORDER BY tool');
    const migration = new FoldUsage1790000002700();
    const runner = source.createQueryRunner();
    try {
      await migration.down(runner);
      await source.query("UPDATE usage_seen SET calls = calls + 5 WHERE tool = 'add'");
      expect(await counts()).toEqual([
        { tool: 'add', calls: '6' },
        { tool: 'echo', calls: '2' },
      ]);
      await migration.up(runner);
      expect(await counts()).toEqual([{ tool: 'add', calls: '5' }]);
    } finally {
      await runner.release();
    }
  });

  it('makes partitions ahead, and keeps a skewed clock in the default one', async () => {
    const partitions = new PartitionStore(source);
    expect(await partitions.ensureAhead(NOW)).toEqual([]);
    await store(recordOf(1), recordOf(2, { occurredAtMs: NOW + 400 * 86_400_000 }));
    const rows: { place: string }[] = await source.query(
      'SELECT tableoid::regclass::text AS place FROM call_record ORDER BY occurred_at',
    );
    expect(rows.map(({ place }) => place)).toEqual(['call_record_20261125', 'call_record_default']);
  });

  it('never shows what was recorded in an error', async () => {
    const secret = 'wdr_canary';
    const record = recordOf(1, { tool: `${secret}\u0000` });
    const failing = records.insert([{ columns: columnsOf(record), message: message(JSON.stringify(record)) }]);
    const error = await failing.then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(`${error?.stack} ${JSON.stringify(error)}`).not.toContain(secret);
    expect(error?.message).toContain('22021');
  });

  it('never shows what was recorded in a log line, whatever statement fails', async () => {
    const lines: string[] = [];
    const log = createLogger('audit', { level: 'trace', destination: { write: (line: string) => lines.push(line) } });
    const ingest = new Ingest(records, log, new Metrics());
    const batch = [message(JSON.stringify(withArguments(1, { note: 'canary-of-a-value' })))];
    await source.query('ALTER TABLE usage_day RENAME TO usage_day_away');
    try {
      await expect(ingest.take(batch)).rejects.toThrow('42P01');
    } finally {
      await source.query('ALTER TABLE usage_day_away RENAME TO usage_day');
    }
    expect(lines.join('')).toContain('42P01');
    expect(lines.join('')).not.toContain('canary-of-a-value');
    await ingest.take(batch);
    expect((await find({})).calls).toHaveLength(1);
  });
});
