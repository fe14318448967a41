import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import {
  AuditCallsQuery,
  auditDeadLetterTopic,
  type AuditRecord,
  auditRecordedTopic,
  WhoUsedQuery,
} from '@warder/contracts';
import { CreateOutbox1790000000000, type EmbeddedPostgres, Outbox, startEmbeddedPostgres } from '@warder/postgres';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CallPages } from '../call-pages.store.js';
import { CallStore } from '../call.store.js';
import { CreateAudit1790000002000 } from '../migrations/create-audit.js';
import { encodeCursor } from '../page-cursor.js';
import { CreateArchive1790000002100 } from '../migrations/create-archive.js';
import { NameSubjects1790000002800 } from '../migrations/name-subjects.js';
import { PartitionStore } from '../partition.store.js';
import { RecordStore } from '../record.store.js';
import { storeBatch } from '../store-batch.js';
import { ARGUMENTS_TEXT, TextIndexStore } from '../text-index.store.js';
import { ArchiveConfig } from './archive-config.js';
import { ArchiveStore } from './archive.store.js';
import { ColdStore } from './cold.store.js';
import { Duck } from './duck.js';
import { ErasureStore } from './erasure.store.js';
import { Keeping } from './keeping.store.js';
import { LegalHoldStore } from './legal-hold.store.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const DAY_MS = 86_400_000;
const START = Date.parse('2026-11-01T12:00:00Z');
/** Of every eleven records these are no calls. */
const KINDS: readonly AuditRecord['kind'][] = ['list', 'admin', 'authentication', 'export'];
const BY = { principal: null, token: null, address: '' };

describe('the archive', () => {
  let postgres: EmbeddedPostgres;
  let source: DataSource;
  let bus: Bus;
  let dir: string;
  let nowMs = START;
  let duck: Duck;
  let archive: ArchiveStore;
  let cold: ColdStore;
  let records: RecordStore;
  let holds: LegalHoldStore;
  let erasures: ErasureStore;
  let keeping: Keeping;
  const clock = { wallMs: () => nowMs, monotonicMs: () => performance.now() };

  beforeAll(async () => {
    postgres = await startEmbeddedPostgres({ ephemeral: true });
    bus = createInProcessBus({ node: 'audit', log: quiet, clock });
    await bus.ensureTopics([auditDeadLetterTopic]);
    source = new DataSource({
      type: 'postgres',
      url: postgres.url,
      migrations: [
        CreateOutbox1790000000000,
        CreateAudit1790000002000,
        CreateArchive1790000002100,
        NameSubjects1790000002800,
      ],
    });
    await source.initialize();
    await source.runMigrations();
    records = new RecordStore(source, bus, clock.wallMs);
  });
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'warder-archive-'));
    nowMs = START;
    await source.query(
      'TRUNCATE call_record, usage_day, usage_seen, quarantine, archive_file, archive_day, legal_hold, erasure, outbox',
    );
    const config = ArchiveConfig.parse({ dir, retentionDays: 20, memoryMaxBytes: 134_217_728 });
    duck = await Duck.open(config);
    archive = new ArchiveStore(source, duck, config);
    cold = new ColdStore(archive, duck);
    const outbox = new Outbox(
      { node: 'audit', bus, clock, log: quiet },
      { service: 'audit', url: postgres.url, topics: [] },
    );
    holds = new LegalHoldStore(source, outbox, clock.wallMs);
    erasures = new ErasureStore(source, outbox, holds, clock.wallMs);
    const partitions = new PartitionStore(source);
    keeping = new Keeping({
      source,
      partitions,
      textIndex: new TextIndexStore(source, source),
      holds,
      erasures,
      archive,
      retentionDays: 3,
      archiveRetentionDays: 20,
      log: quiet,
    });
    await keeping.run(nowMs);
  });
  afterEach(() => {
    duck.close();
    rmSync(dir, { recursive: true, force: true });
  });
  afterAll(async () => {
    await source?.destroy();
    await bus?.close();
    await postgres?.stop();
  });

  const idOf = (n: number): string => `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`;
  const recordOf = (n: number, change: Partial<AuditRecord> = {}): AuditRecord => ({
    ...auditRecordedTopic.example,
    sequence: n,
    recordId: idOf(n),
    occurredAtMs: START + n * 1_000,
    ...change,
  });
  const varied = (record: AuditRecord): AuditRecord => {
    const n = record.sequence;
    const isForbidden = n % 7 === 3;
    return {
      ...record,
      kind: KINDS[n % 11] ?? 'call',
      virtualServer: n % 2 ? 'dev' : 'ops',
      upstream: n % 3 ? 'everything' : 'files',
      tool: `tool-${n % 4}`,
      decision: isForbidden ? 'forbid' : 'permit',
      outcome: isForbidden ? 'failure' : 'success',
      refusal: isForbidden ? { code: 'WDR_TOOL_UNKNOWN' } : null,
      principal: { id: `usr_${n % 5}`, kind: 'human', groups: [] },
      agent: { id: `pat_${n % 2}`, kind: 'pat' },
      personal: {
        ...record.personal!,
        principal: { name: `Person ${n % 5}`, email: `person${n % 5}@example.com` },
        agent: { name: `agent ${n % 2}` },
        arguments: { bytes: 1, value: { title: `a quoted "word" ${n % 6}${n % 13 ? '' : ' 100 %'}`, big: n } },
      },
    };
  };
  const store = (...batch: AuditRecord[]) =>
    storeBatch(
      batch.map((record, offset) => {
        const value = Buffer.from(JSON.stringify(record));
        return { key: 'k', value, partition: 0, offset: String(offset), timestampMs: nowMs };
      }),
      records,
    );
  const hotIds = async (): Promise<string[]> => {
    const rows: { id: string }[] = await source.query('SELECT record_id AS id FROM call_record ORDER BY id');
    return rows.map(({ id }) => id);
  };
  const coldIds = async (query: Record<string, string> = {}): Promise<string[]> =>
    (await cold.calls(AuditCallsQuery.parse(query), 50)).rows.map(({ id }) => id);
  const parquetFiles = (): string[] =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.parquet'));
  const passDays = async (days: number): Promise<void> => {
    nowMs += days * DAY_MS;
    await keeping.run(nowMs);
  };

  it('writes a closed day as Parquet in the layout of a security lake, and keeps it in Postgres until retention', async () => {
    await store(recordOf(1), recordOf(2, { kind: 'admin', method: 'admin/identity/principal.create' }));
    await passDays(1);
    expect(parquetFiles().sort()).toEqual([
      'ext/warder-3004/region=local/accountId=warder/eventDay=20261101/g001-p0000.parquet',
      'ext/warder-6003/region=local/accountId=warder/eventDay=20261101/g001-p0000.parquet',
    ]);
    expect(await hotIds()).toEqual([idOf(1), idOf(2)]);
    expect(await coldIds()).toEqual([]);
  });

  it('drops a day past retention once the archive holds all of it, and answers from the files to the byte', async () => {
    await store(recordOf(1), recordOf(2), recordOf(3));
    await passDays(4);
    expect(await hotIds()).toEqual([]);
    const { rows: found } = await cold.calls(AuditCallsQuery.parse({ limit: '2' }), 2);
    expect(found.map(({ text }) => text)).toEqual([JSON.stringify(recordOf(3)), JSON.stringify(recordOf(2))]);
    expect(found[0]!.at).toBe('2026-11-01T12:00:03.000000Z');
  });

  it('adds records that come after their day was dropped to its files, each once', async () => {
    await store(recordOf(1), recordOf(3));
    await passDays(4);
    await store(recordOf(2), recordOf(3));
    expect(await hotIds()).toEqual([idOf(2), idOf(3)]);
    await passDays(1);
    expect(await hotIds()).toEqual([]);
    expect(await coldIds()).toEqual([idOf(3), idOf(2), idOf(1)]);
    expect(parquetFiles()).toEqual([
      'ext/warder-6003/region=local/accountId=warder/eventDay=20261101/g002-p0000.parquet',
    ]);
  });

  it('writes a closed day anew when a late record came, before Postgres lets it go', async () => {
    await store(recordOf(1));
    await passDays(1);
    await store(recordOf(2));
    await passDays(3);
    expect(await hotIds()).toEqual([]);
    expect(await coldIds()).toEqual([idOf(2), idOf(1)]);
  });

  it('keeps in its files what Postgres lost', async () => {
    await store(recordOf(1), recordOf(2));
    await passDays(1);
    await source.query('DELETE FROM call_record WHERE record_id = $1', [idOf(1)]);
    await passDays(3);
    expect(await hotIds()).toEqual([]);
    expect(await coldIds()).toEqual([idOf(2), idOf(1)]);
  });

  it('removes a day past the retention of the archive, but not while a hold covers it', async () => {
    await store(recordOf(1));
    await passDays(4);
    const { id } = await holds.place({ name: 'case 7', reason: 'a court asked', fromDay: '2026-11-01' }, BY);
    await passDays(20);
    expect(await coldIds()).toEqual([idOf(1)]);
    await holds.release(id, BY);
    await passDays(1);
    expect(await coldIds()).toEqual([]);
    expect(parquetFiles()).toEqual([]);
  });

  it('erases a subject in Postgres and in the files, and keeps the bytes that prove the records', async () => {
    const mine = (n: number) => recordOf(n, { principal: { id: 'usr_gone', kind: 'human', groups: [] } });
    await store(mine(1), recordOf(2));
    await passDays(4);
    await store({ ...mine(3), occurredAtMs: nowMs }, { ...recordOf(4), occurredAtMs: nowMs });
    nowMs += 1_000;
    await erasures.request({ subject: 'usr_gone', reason: 'she asked' }, BY);
    await keeping.run(nowMs);
    expect(await erasures.list()).toMatchObject([{ state: 'finished', records: 2 }]);

    const texts = (await cold.calls(AuditCallsQuery.parse({}), 50)).rows.map(({ text }) => text);
    const rows: { text: string; name: string | null }[] = await source.query(
      'SELECT record::text AS text, principal_name AS name FROM call_record ORDER BY record_id',
    );
    const leafOf = (text: string): string => `${text.slice(0, text.indexOf(',"personal":'))}}`;
    const erased = [texts[1]!, rows[0]!.text];
    expect(erased.map((text) => (JSON.parse(text) as AuditRecord).personal)).toEqual([null, null]);
    expect(leafOf(erased[0]!)).toBe(leafOf(JSON.stringify(mine(1))));
    expect(leafOf(erased[1]!)).toBe(leafOf(JSON.stringify({ ...mine(3), occurredAtMs: nowMs - 1_000 })));
    expect(rows[0]!.name).toBeNull();
    expect([texts[0], rows[1]!.text]).toEqual([
      JSON.stringify(recordOf(2)),
      JSON.stringify({ ...recordOf(4), occurredAtMs: nowMs - 1_000 }),
    ]);
    const columns = await duck.connection.runAndReadAll(
      `SELECT count(*) FROM read_parquet([${parquetFiles()
        .map((file) => `'${join(dir, file)}'`)
        .join(', ')}]) AS f
       WHERE actor.user.uid = 'usr_gone' AND contains(CAST(f AS VARCHAR), 'ana@example.com')`,
    );
    expect(columns.getRows()).toEqual([[0n]]);
  });

  /** An act of an administrator, of which the arguments say something. */
  const act = (n: number, value: unknown, change: Partial<AuditRecord> = {}): AuditRecord => {
    const record = recordOf(n, { kind: 'admin', log: 'admin/identity', ...change });
    const said = { principal: { name: 'Root Admin', email: 'root@example.com' }, arguments: { bytes: 1, value } };
    return {
      ...record,
      principal: { id: 'usr_root', kind: 'human', groups: [] },
      personal: { ...record.personal!, ...said },
    };
  };
  const naming = (from: number): AuditRecord[] => [
    act(from, { id: 'usr_gone', name: 'Eva Lind', email: 'Eva@Example.com' }),
    act(from + 1, { path: '/admin/identity/principals/usr_gone/tokens' }),
    act(from + 2, { query: 'human=eva%40example.com&days=7' }, { kind: 'query', log: 'admin/audit' }),
    act(from + 3, { deep: [{ note: 'left with eva@example.com.' }] }),
    act(from + 4, { group: { members: ['Somebody Else', 'EVA LIND'] } }),
    act(from + 5, { usr_gone: 'a key' }),
    act(from + 6, { search: 'text=Eva+Lind' }),
  ];
  const others = (from: number): AuditRecord[] => [
    act(from, { id: 'usr_gone2', email: 'neva@example.com', name: 'Eva Lindqvist' }),
    act(from + 1, { note: 'eva@example.com.evil and x-eva@example.com' }),
    act(from + 2, { note: 'Eva' }),
    recordOf(from + 3, {
      personal: { ...recordOf(0).personal!, arguments: { bytes: 1, value: { to: 'eva@example.com' } } },
    }),
  ];

  it('erases acts that name the subject by an address or name of its own, in Postgres and in the files', async () => {
    const [cold1, keep1] = [naming(10), others(30)];
    await store(...cold1, ...keep1);
    await passDays(4);
    const atNow = (record: AuditRecord): AuditRecord => ({ ...record, occurredAtMs: nowMs });
    const [hot, keep2] = [naming(50).map(atNow), others(70).map(atNow)];
    await store(...hot, ...keep2);
    nowMs += 1_000;
    await erasures.request({ subject: 'usr_gone', reason: 'she asked' }, BY);
    await keeping.run(nowMs);
    expect(await erasures.list()).toMatchObject([{ state: 'finished', records: 14 }]);

    const rows: { text: string }[] = await source.query('SELECT record::text AS text FROM call_record');
    const texts = [...rows, ...(await cold.calls(AuditCallsQuery.parse({}), 50)).rows].map(({ text }) => text);
    const isErased = (record: AuditRecord): boolean => {
      const text = texts.find((one) => one.includes(record.recordId))!;
      const core = JSON.stringify(record).split(',"personal":')[0]!;
      expect(text.startsWith(core)).toBe(true);
      return text === `${core},"personal":null}`;
    };
    expect([...cold1, ...hot].map(isErased)).toEqual(Array.from({ length: 14 }, () => true));
    expect([...keep1, ...keep2].map(isErased)).toEqual(Array.from({ length: 8 }, () => false));
  });

  it('knows the subject by its address while late records may come, and forgets it then', async () => {
    const known = async (): Promise<unknown> =>
      ((await source.query('SELECT known_as FROM erasure')) as [{ known_as: unknown }])[0].known_as;
    await store(naming(10)[0]!, recordOf(11, { principal: { id: 'usr_gone', kind: 'human', groups: [] } }));
    nowMs += 60_000;
    await erasures.request({ subject: 'usr_gone', reason: 'she asked' }, BY);
    await keeping.run(nowMs);
    expect(await known()).toEqual(expect.arrayContaining(['Eva@Example.com', 'Eva Lind', 'ana@example.com']));
    await store(naming(20)[3]!);
    await keeping.run(nowMs);
    expect(await erasures.list()).toMatchObject([{ state: 'finished', records: 3 }]);
    await passDays(9);
    expect(await known()).toBeNull();
  });

  it('takes no name for the subject that somebody else bears too', async () => {
    const person = { id: 'usr_twin', kind: 'human', groups: [] };
    const twin = recordOf(9, { principal: person });
    await store(
      { ...twin, personal: { ...twin.personal!, principal: { name: 'Eva Lind', email: 'twin@example.com' } } },
      ...naming(10),
    );
    nowMs += 60_000;
    await erasures.request({ subject: 'usr_gone', reason: 'she asked' }, BY);
    await keeping.run(nowMs);
    const rows: { id: string }[] = await source.query(
      `SELECT record_id AS id FROM call_record WHERE NOT record::text LIKE '%"personal":null}' ORDER BY id`,
    );
    expect(rows.map(({ id }) => id)).toEqual([9, 14, 16].map(idOf));
  });

  it('erases the other people where the file of a day is damaged, and that one once it is mended', async () => {
    await store(...naming(10));
    await passDays(4);
    const file = join(dir, parquetFiles()[0]!);
    const honest = readFileSync(file);
    await erasures.request({ subject: 'usr_gone', reason: 'she asked' }, BY);
    writeFileSync(file, honest.subarray(0, 1_000));
    await keeping.run(nowMs);
    expect(await erasures.list()).toMatchObject([{ state: 'requested' }]);
    writeFileSync(file, honest);
    await keeping.run(nowMs);
    expect(await erasures.list()).toMatchObject([{ state: 'finished', records: 7 }]);
  });

  it('erases a record of the subject that was still on its way', async () => {
    await erasures.request({ subject: 'usr_gone', reason: 'she asked' }, BY);
    await keeping.run(nowMs);
    await store(
      recordOf(-5, { sequence: 5, recordId: idOf(5), principal: { id: 'usr_gone', kind: 'human', groups: [] } }),
    );
    await keeping.run(nowMs);
    const [row] = (await source.query('SELECT record::text AS text FROM call_record')) as [{ text: string }];
    expect(row.text.endsWith(',"personal":null}')).toBe(true);
  });

  it('refuses to erase whom a legal hold covers', async () => {
    await holds.place({ name: 'case 7', reason: 'a court asked', subject: 'usr_gone' }, BY);
    await expect(erasures.request({ subject: 'usr_gone', reason: 'x' }, BY)).rejects.toMatchObject({
      status: 409,
      code: 'WDR_LEGAL_HOLD',
    });
    await expect(erasures.request({ subject: 'usr_other', reason: 'x' }, BY)).resolves.toBeDefined();
  });

  it('answers from the files what Postgres answered, filter by filter and page by page', async () => {
    const batch = Array.from({ length: 120 }, (_, n) => varied(recordOf(n, { occurredAtMs: START + n * 1_500_000 })));
    await store(...batch);
    const textIndex = new TextIndexStore(source, source);
    const calls = new CallStore(source, new CallPages({ source, textIndex, cold, scanRowsMax: 1_000 }), cold);
    const queries: Record<string, string>[] = [
      {},
      { human: 'usr_1' },
      { human: 'PERSON2@example.com' },
      { human: 'Person 2' },
      { agent: 'pat_0' },
      { agent: 'agent 1' },
      { virtualServer: 'dev' },
      { upstream: 'files' },
      { tool: 'tool-1', upstream: 'everything' },
      { decision: 'forbid' },
      { outcome: 'failure' },
      { kind: 'list' },
      { code: 'WDR_TOOL_UNKNOWN' },
      { text: 'Quoted "WORD" 1' },
      { text: '%' },
      { from: new Date(START + 40_000_000).toISOString(), to: new Date(START + 120_000_000).toISOString() },
    ];
    const pages = async (query: Record<string, string>): Promise<string[]> => {
      const texts: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const parsed = AuditCallsQuery.parse({ ...query, limit: '50', ...(cursor === '' ? {} : { cursor }) });
        const page = JSON.parse(await calls.calls(parsed)) as { calls: AuditRecord[]; nextCursor: string | null };
        texts.push(...page.calls.map(({ recordId }) => recordId));
        cursor = page.nextCursor;
      }
      return texts;
    };
    const used = async (fields: Record<string, string>): Promise<unknown> =>
      JSON.parse(await calls.whoUsed(WhoUsedQuery.parse({ days: '30', ...fields }), START + 4 * DAY_MS));
    const hot = await Promise.all(queries.map((query) => pages(query)));
    const hotUses = await used({});
    await passDays(2);
    expect(await Promise.all(queries.map((query) => pages(query)))).toEqual(hot);
    // Of the three days one has left Postgres by now, then all have.
    nowMs = START + 4 * DAY_MS;
    await keeping.run(nowMs);
    expect((await hotIds()).length).toBeLessThan(120);
    expect((await hotIds()).length).toBeGreaterThan(0);
    expect(await Promise.all(queries.map((query) => pages(query)))).toEqual(hot);
    await passDays(3);
    expect(await hotIds()).toEqual([]);
    expect(await Promise.all(queries.map((query) => pages(query)))).toEqual(hot);
    expect(hot.every((found) => found.length > 0 && found.length <= 120)).toBe(true);
    expect(hot.slice(1).every((found) => found.length < 120)).toBe(true);
    expect(await used({})).toEqual(hotUses);
    expect(await used({ source: 'archive' })).toEqual(hotUses);
    const { uses } = hotUses as { uses: object[] };
    const pagesOfUses: object[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const fields = { source: 'archive', limit: '1', ...(cursor === '' ? {} : { cursor }) };
      const page = (await used(fields)) as { uses: object[]; nextCursor: string | null };
      pagesOfUses.push(...page.uses);
      cursor = page.nextCursor;
    }
    expect(pagesOfUses).toEqual(uses);
    expect(JSON.parse(await calls.call(idOf(7)))).toEqual(batch[7]);
  });

  it('finds parts of arguments by the index of closed days, and today within its bound, page after page', async () => {
    const of = (n: number, word: string, atMs: number): AuditRecord => {
      const { personal, ...core } = recordOf(n, { occurredAtMs: atMs, sequence: n + 1 });
      return { ...core, personal: { ...personal!, arguments: { bytes: 1, value: { word } } } };
    };
    // A day that no other test has passed.
    nowMs = START + 60 * DAY_MS;
    await keeping.run(nowMs);
    await store(...Array.from({ length: 40 }, (_, n) => of(n, n % 10 ? 'straw' : 'needle', nowMs + n)));
    nowMs += DAY_MS;
    await keeping.run(nowMs);
    await store(...Array.from({ length: 40 }, (_, n) => of(100 + n, n % 10 ? 'straw' : 'needle', nowMs + n)));
    const textIndex = new TextIndexStore(source, source);
    expect(await textIndex.scannedFrom('needle')).toBe('2027-01-01T00:00:00Z');
    expect(await textIndex.scannedFrom('ne')).toBeUndefined();
    expect(await textIndex.build('2026-12-31')).toBe(false);

    const pages = new CallPages({ source, textIndex, cold: undefined, scanRowsMax: 15 });
    const sizes: number[] = [];
    const ids: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const query = AuditCallsQuery.parse({ text: 'NEEDLE', limit: '50', ...(cursor === '' ? {} : { cursor }) });
      const { found, next } = await pages.page(query);
      sizes.push(found.length);
      ids.push(...found.map(({ id }) => id));
      cursor = next === null ? undefined : encodeCursor(next);
    }
    expect(sizes).toEqual([1, 2, 5]);
    expect(ids).toEqual([130, 120, 110, 100, 30, 20, 10, 0].map((n) => idOf(n)));

    await source.query('SET enable_seqscan = off');
    const plan: { 'QUERY PLAN': string }[] = await source.query(
      `EXPLAIN SELECT 1 FROM call_record_20261231
       WHERE ${ARGUMENTS_TEXT} ILIKE '%needle%'`,
    );
    expect(JSON.stringify(plan)).toContain('call_record_20261231_arguments');
  });

  it('lets a text in a statement reach no file outside of the archive', async () => {
    await expect(duck.connection.run(`SELECT * FROM read_text('/etc/hostname')`)).rejects.toThrow('disabled');
    await expect(duck.connection.run(`COPY (SELECT 1) TO '/tmp/warder-out.parquet'`)).rejects.toThrow('disabled');
    await expect(duck.connection.run('SET enable_external_access = true')).rejects.toThrow('locked');
  });
});
