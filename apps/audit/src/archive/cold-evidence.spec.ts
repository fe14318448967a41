import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomInt } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import { auditDeadLetterTopic, auditRecordedTopic } from '@warder/contracts';
import { commitmentTo, CompactRange, LEAF_PREFIX_BYTES, makeCheckpoint, recordLeafOf } from '@warder/merkle-log';
import {
  CreateAdminTree1790000000100,
  CreateOutbox1790000000000,
  type EmbeddedPostgres,
  Outbox,
  startEmbeddedPostgres,
} from '@warder/postgres';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointStore } from '../checkpoint.store.js';
import { bundlePieces } from '../bundle.js';
import { proofOf } from '../evidence.js';
import { CreateAudit1790000002000 } from '../migrations/create-audit.js';
import { CreateArchive1790000002100 } from '../migrations/create-archive.js';
import { NameSubjects1790000002800 } from '../migrations/name-subjects.js';
import { CreateCheckpoints1790000002500 } from '../migrations/create-checkpoints.js';
import { PartitionStore } from '../partition.store.js';
import { RecordStore } from '../record.store.js';
import { storeBatch } from '../store-batch.js';
import { TextIndexStore } from '../text-index.store.js';
import { ArchiveConfig } from './archive-config.js';
import { ArchiveStore } from './archive.store.js';
import { ColdStore } from './cold.store.js';
import { Duck, quoted } from './duck.js';
import { ErasureStore } from './erasure.store.js';
import { Keeping } from './keeping.store.js';
import { LegalHoldStore } from './legal-hold.store.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const ROOT = join(import.meta.dirname, '../../../..');
const DAY_MS = 86_400_000;
const START = Date.parse('2026-11-01T12:00:00Z');
const ORIGIN = 'n1/tree';
/** Over four days, in two checkpoints. */
const SIZE = 20;
const BY = { principal: null, token: null, address: '' };
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const idOf = (n: number): string => `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`;

// What was signed when a record was new must still prove it years later, from a file.
describe('the evidence of records that left Postgres', () => {
  let dir: string;
  let postgres: EmbeddedPostgres;
  let source: DataSource;
  let bus: Bus;
  let duck: Duck;
  let cold: ColdStore;
  let checkpoints: CheckpointStore;
  let erasures: ErasureStore;
  let keeping: Keeping;
  let nowMs = START;
  let texts: readonly string[];
  let bundleWhenNew: string;
  let proofWhenNew: string;
  const clock = { wallMs: () => nowMs, monotonicMs: () => performance.now() };

  beforeAll(async () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'tools/prepare.mjs'), 'apps/cli']);
    if (status !== 0) throw new Error(String(stderr));
    dir = mkdtempSync(join(tmpdir(), 'warder-cold-evidence-'));
    postgres = await startEmbeddedPostgres({ ephemeral: true });
    bus = createInProcessBus({ node: 'audit', log: quiet, clock });
    await bus.ensureTopics([auditDeadLetterTopic]);
    const migrations = [
      CreateOutbox1790000000000,
      CreateAdminTree1790000000100,
      CreateAudit1790000002000,
      CreateArchive1790000002100,
      CreateCheckpoints1790000002500,
      NameSubjects1790000002800,
    ];
    source = new DataSource({ type: 'postgres', url: postgres.url, migrations });
    await source.initialize();
    await source.runMigrations();
    const config = ArchiveConfig.parse({ dir: join(dir, 'archive'), retentionDays: 30, memoryMaxBytes: 134_217_728 });
    mkdirSync(config.dir);
    duck = await Duck.open(config);
    const archive = new ArchiveStore(source, duck, config);
    cold = new ColdStore(archive, duck);
    checkpoints = new CheckpointStore(source, cold, clock.wallMs);
    const outbox = new Outbox(
      { node: 'audit', bus, clock, log: quiet },
      { service: 'audit', url: postgres.url, topics: [] },
    );
    const holds = new LegalHoldStore(source, outbox, clock.wallMs);
    erasures = new ErasureStore(source, outbox, holds, clock.wallMs);
    const partitions = new PartitionStore(source);
    const textIndex = new TextIndexStore(source, source);
    const parts = { source, partitions, textIndex, holds, erasures, archive, log: quiet };
    keeping = new Keeping({ ...parts, retentionDays: 3, archiveRetentionDays: 30 });
    await keeping.run(nowMs);
    await recordAll();
    bundleWhenNew = await bundle();
    proofWhenNew = await proofOf(texts[7]!, checkpoints);
    nowMs = START + 10 * DAY_MS;
    await keeping.run(nowMs);
  }, 180_000);
  afterAll(async () => {
    duck?.close();
    await source?.destroy();
    await bus?.close();
    await postgres?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const recordText = (n: number): string => {
    const { commitment: _commitment, personal, ...example } = auditRecordedTopic.example;
    const said = { ...personal, arguments: { bytes: 9, value: { said: `words-of-${n}` } } };
    return JSON.stringify({
      ...example,
      log: ORIGIN,
      sequence: n + 1,
      index: n,
      recordId: idOf(n),
      occurredAtMs: START + Math.floor(n / 5) * DAY_MS + n,
      tool: `tool-${n}`,
      principal: { ...example.principal, id: n % 4 === 2 ? 'usr_gone' : 'usr_stays' },
      commitment: commitmentTo(Buffer.from(JSON.stringify(said))),
      personal: said,
    });
  };

  async function recordAll(): Promise<void> {
    texts = Array.from({ length: SIZE }, (_, n) => recordText(n));
    const messages = texts.map((text, n) => {
      return { key: 'k', value: Buffer.from(text), partition: 0, offset: String(n), timestampMs: nowMs };
    });
    nowMs = START + 3 * DAY_MS;
    await keeping.run(nowMs);
    await storeBatch(messages, new RecordStore(source, bus, clock.wallMs));
    const range = new CompactRange();
    for (const leavesFrom of [0, SIZE / 2]) {
      const hashes = texts.slice(leavesFrom, leavesFrom + SIZE / 2).map((text) => recordLeafOf(Buffer.from(text)));
      for (const hash of hashes) range.append(hash);
      const leaves = Buffer.concat(hashes.map((hash) => hash.subarray(0, LEAF_PREFIX_BYTES)));
      const atMs = START + Math.floor((range.size - 1) / 5) * DAY_MS + 1_000;
      const checkpoint = makeCheckpoint({ origin: ORIGIN, range, leavesFrom, leaves, atMs }, privateKey);
      await checkpoints.insert(checkpoint, JSON.stringify(checkpoint));
    }
  }

  async function bundle(): Promise<string> {
    let text = '';
    const [from, to] = ['2026-10-01T00:00:00Z', '2027-01-01T00:00:00Z'];
    for await (const piece of bundlePieces(from, to, checkpoints)) text += piece.text;
    return text;
  }

  interface Verified {
    readonly code: number | null;
    readonly erased: number;
    /** What is said first of the log: word and index. */
    readonly first: unknown;
    readonly incomplete: readonly string[];
  }

  async function verified(text?: string): Promise<Verified> {
    const out = mkdtempSync(join(dir, 'export-'));
    mkdirSync(join(out, 'public-keys'));
    writeFileSync(join(out, 'public-keys/ingress.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(join(out, 'bundle.ndjson'), text ?? (await bundle()));
    const command = [join(ROOT, 'apps/cli/dist/main.js'), 'audit', 'verify', out, '--json'];
    const { status, stdout } = spawnSync(process.execPath, command, { encoding: 'utf8' });
    const { logs, incomplete } = JSON.parse(stdout) as {
      incomplete: string[];
      logs: { erased: number; findings: { what: string; index?: number }[] }[];
    };
    const finding = logs[0]?.findings[0];
    const first = finding && [finding.what, finding.index];
    return { code: status, erased: logs[0]?.erased ?? 0, first, incomplete };
  }

  it('is the same to the byte, in a bundle and in a proof', async () => {
    expect(await source.query('SELECT count(*)::int AS count FROM call_record')).toEqual([{ count: 0 }]);
    expect(bundleWhenNew.split('\n')).toHaveLength(SIZE + 2 + 2 + 1);
    expect(await bundle()).toBe(bundleWhenNew);
    expect(await proofOf((await cold.record(idOf(7)))!, checkpoints)).toBe(proofWhenNew);
    expect(await verified()).toEqual({ code: 0, erased: 0, first: undefined, incomplete: [] });
  });

  it('names the first record that somebody altered in a file, took out of it, made unreadable or removed with it', async () => {
    const archived = join(dir, 'archive');
    const files = readdirSync(archived, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.parquet'),
    );
    const file = join(archived, files.toSorted()[1]!);
    renameSync(file, `${file}.honest`);
    const honest = `read_parquet(${quoted(`${file}.honest`)})`;
    await duck.connection.run(
      `COPY (SELECT * REPLACE (replace(raw_data, '"tool":"tool-7"', '"tool":"tool-8"') AS raw_data) FROM ${honest})
       TO ${quoted(file)} (FORMAT parquet)`,
    );
    expect(await verified()).toMatchObject({ code: 1, first: ['record-altered', 7] });
    await duck.connection.run(
      `COPY (SELECT * FROM ${honest} WHERE metadata.uid <> ${quoted(idOf(6))}) TO ${quoted(file)} (FORMAT parquet)`,
    );
    expect(await verified()).toMatchObject({ code: 1, first: ['record-removed', 6] });
    await duck.connection.run(
      `COPY (SELECT * REPLACE (IF(metadata.uid = ${quoted(idOf(8))}, '{', raw_data) AS raw_data) FROM ${honest})
       TO ${quoted(file)} (FORMAT parquet)`,
    );
    expect(await verified()).toMatchObject({ code: 1, first: ['record-removed', 8] });
    rmSync(file);
    expect(await verified()).toMatchObject({ code: 1, first: ['record-removed', 5] });
    await expect(proofOf(texts[7]!, checkpoints)).rejects.toMatchObject({ code: 'WDR_RECORD_UNPROVEN' });
    renameSync(`${file}.honest`, file);
    expect(await verified()).toMatchObject({ code: 0 });
  });

  const lastLine = (text: string): unknown => JSON.parse(text.trimEnd().split('\n').at(-1)!);
  const fileOfDay2 = (): string => {
    const archived = join(dir, 'archive');
    const names = readdirSync(archived, { recursive: true, encoding: 'utf8' });
    return join(archived, names.filter((name) => name.endsWith('.parquet')).toSorted()[1]!);
  };

  let putAtS = START / 1000;
  /** As another file, for DuckDB reads one of the same size and second no second time. */
  function put(file: string, bytes: Buffer): void {
    writeFileSync(file, bytes);
    utimesSync(file, ++putAtS, putAtS);
  }

  it.each<[string, (honest: Buffer) => Buffer]>([
    ['is cut off', (honest) => honest.subarray(0, honest.length >> 1)],
    ['is empty', (honest) => honest.subarray(0, 0)],
    ['lost the page where its records are', (honest) => Buffer.from(honest).fill(0xa5, 4, honest.length >> 1)],
    [
      'lost what says where its columns are',
      (honest) => {
        const footer = honest.length - 8 - honest.readUInt32LE(honest.length - 8);
        return Buffer.from(honest).fill(0, footer, footer + 600);
      },
    ],
  ])('breaks off before a day whose file %s, in its last line, and is then proved by nobody', async (_how, damage) => {
    const file = fileOfDay2();
    const honest = readFileSync(file);
    put(file, damage(honest));
    try {
      const text = await bundle();
      const unreadable = { code: 'WDR_ARCHIVE_UNREADABLE' };
      expect(lastLine(text)).toMatchObject({ bundle: 'broken', ...unreadable, log: ORIGIN, from: 0, to: SIZE / 2 });
      const { code, incomplete } = await verified(text);
      expect([code, incomplete]).toEqual([2, [expect.stringContaining('broke off: WDR_ARCHIVE_UNREADABLE')]]);
      await expect(proofOf(texts[7]!, checkpoints)).rejects.toMatchObject(unreadable);
      await expect(cold.record(idOf(7))).rejects.toMatchObject(unreadable);
    } finally {
      put(file, honest);
    }
    expect(await bundle()).toBe(bundleWhenNew);
  });

  it('never looks whole, whichever bytes are damaged', async () => {
    const seed = Number(process.env.WARDER_SEED ?? randomInt(2 ** 31));
    console.log(`cold evidence: WARDER_SEED=${seed}`);
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const file = fileOfDay2();
    const honest = readFileSync(file);
    try {
      for (let round = 0; round < 8; round++) {
        const damaged = Buffer.from(honest);
        const at = random(honest.length);
        for (let n = at; n < Math.min(at + 1 + random(64), honest.length); n++) damaged[n] = random(256);
        put(file, damaged);
        const text = await bundle();
        expect(lastLine(text)).toMatchObject({ bundle: expect.stringMatching(/^(end|broken)$/) });
        const { code } = await verified(text);
        expect([round, code === 0]).toEqual([round, text === bundleWhenNew]);
      }
    } finally {
      put(file, honest);
    }
  }, 120_000);

  it.each(['"seven"', '1.5', 'null', '[7]', '99999999999999999999', '{"index":7}'])(
    'says which record is missing where one says %s of its place',
    async (index) => {
      const file = fileOfDay2();
      renameSync(file, `${file}.honest`);
      try {
        await duck.connection.run(
          `COPY (SELECT * REPLACE (replace(raw_data, '"index":7,', ${quoted(`"index":${index},`)}) AS raw_data)
           FROM read_parquet(${quoted(`${file}.honest`)})) TO ${quoted(file)} (FORMAT parquet)`,
        );
        expect(lastLine(await bundle())).toMatchObject({ bundle: 'end', records: SIZE - 1, missing: 1 });
        expect(await verified()).toMatchObject({ code: 1, first: ['record-removed', 7] });
        await expect(proofOf((await cold.record(idOf(7)))!, checkpoints)).rejects.toMatchObject({
          code: 'WDR_RECORD_UNPROVEN',
        });
      } finally {
        renameSync(`${file}.honest`, file);
      }
    },
  );

  it('stays valid when a person is erased, whose words are then in no file', async () => {
    await erasures.request({ subject: 'usr_gone', reason: 'asked for it' }, BY);
    await keeping.run(nowMs);
    expect(await verified()).toEqual({ code: 0, erased: 5, first: undefined, incomplete: [] });
    const left = (await bundle()).match(/words-of-\d+/g);
    expect(left).toHaveLength(SIZE - 5);
    expect(left).not.toContain('words-of-6');
    expect(JSON.parse(await proofOf((await cold.record(idOf(6)))!, checkpoints))).toMatchObject({ index: 6 });
  });
});
