import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Bus, createInProcessBus } from '@warder/bus';
import {
  type AuditCheckpoint,
  auditCheckpointTopic,
  type AuditRecord,
  auditRecordedTopic,
  principalStateTopic,
} from '@warder/contracts';
import { CompactRange, leafHashOf, readCheckpoint, recordLeafOf, unknownBeginning } from '@warder/merkle-log';
import { createLogger } from '@warder/telemetry';
import { DataSource, type MigrationInterface } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CHECKPOINT_RECORDS } from './admin-checkpoints.js';
import { advanceTree } from './admin-tree.js';
import { CreateAdminTree1790000000100 } from './admin-tree-tables.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { openDatabase } from './open-database.js';
import { CreateOutbox1790000000000 } from './outbox-tables.js';
import { Outbox } from './outbox.js';

const WAIT = { timeout: 20_000, interval: 25 };
const NEVER_MS = 3_600_000;
const SOON_MS = 20;
const clock = { wallMs: () => 1_790_000_000_000, monotonicMs: () => performance.now() };
const silent = createLogger('test', { level: 'silent' });
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const by = { principal: principalStateTopic.example, token: null, address: '127.0.0.1' };

let database: EmbeddedPostgres;
let schema = 'tree0';
let source: DataSource;
let bus: Bus;
const records: string[] = [];
const checkpoints: AuditCheckpoint[] = [];
const warned: object[] = [];
const log = { ...silent, warn: (fields: object) => void warned.push(fields) };
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await startEmbeddedPostgres({ ephemeral: true });
});
afterAll(() => database.stop());
beforeEach(async () => {
  schema = `tree${Number(schema.slice(4)) + 1}`;
  for (const list of [records, checkpoints, warned]) list.length = 0;
  bus = createInProcessBus({ node: 'n1', log: silent, clock });
  source = await migrated([CreateOutbox1790000000000, CreateAdminTree1790000000100]);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await source.destroy();
  await bus.close();
});

function migrated(migrations: (new () => MigrationInterface)[]): Promise<DataSource> {
  const extra = { options: `-c search_path=${schema}` };
  const options = { type: 'postgres', url: database.url, schema, migrations, extra } as const;
  return openDatabase(new DataSource(options), schema, 5_000);
}

function outboxOf(checkpointEveryMs: number, signingKey: KeyObject | null = privateKey): Outbox {
  const options = { service: schema, url: database.url, topics: [principalStateTopic], checkpointEveryMs };
  const outbox = new Outbox({ node: 'n1', bus, clock, log, signingKey: signingKey ?? undefined }, options);
  stops.push(() => outbox.stop());
  return outbox;
}

async function consume(): Promise<void> {
  await bus.batch(auditRecordedTopic, 'audit', async (batch) => {
    for (const { value } of batch) records.push(value.toString('utf8'));
  });
  await bus.batch(auditCheckpointTopic, 'audit', async (batch) => {
    for (const { value } of batch) checkpoints.push(JSON.parse(value.toString('utf8')) as AuditCheckpoint);
  });
}

const act = (outbox: Outbox, said: unknown = 'x'): Promise<void> =>
  source.transaction((manager) => outbox.recordAdminAction(manager, { action: 'x.change', by, arguments: { said } }));

async function actAll(outbox: Outbox, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await act(outbox, n);
}

/** What the checkpoints name, from one to the next: their sizes, once each was compared with the records. */
function sizesOf(beginning = new CompactRange()): number[] {
  const range = beginning.copy();
  const leaves = new Map(
    records.map((text) => [(JSON.parse(text) as AuditRecord).index!, recordLeafOf(Buffer.from(text))]),
  );
  return checkpoints.map((checkpoint) => {
    const head = readCheckpoint(checkpoint);
    if ('fault' in head) throw new Error(head.fault);
    expect([head.origin, head.leavesFrom, head.isSignedBy(publicKey)]).toEqual([`admin/${schema}`, range.size, true]);
    while (range.size < head.size) range.append(leaves.get(range.size)!);
    expect(head.root).toEqual(range.root());
    return head.size;
  });
}

const count = async (table: string): Promise<number> =>
  ((await source.query(`SELECT count(*)::int AS count FROM ${table}`)) as [{ count: number }])[0].count;

describe('the tree of admin acts', () => {
  it('has the exact bytes of each committed record as a leaf, and nothing of what was rolled back', async () => {
    const outbox = outboxOf(NEVER_MS);
    const odd = ['é \ud83d\ude00 \u2028', '","personal":{"salt":', "\\x00 ' $1 \\", '\u0000\ud800'];
    for (const said of odd) await act(outbox, said);
    const rolledBack = source.transaction(async (manager) => {
      await outbox.recordAdminAction(manager, { action: 'x.change', by, arguments: {} });
      throw new Error('changed my mind');
    });
    await expect(rolledBack).rejects.toThrow('changed my mind');
    const rows = (await source.query('SELECT value FROM outbox ORDER BY id')) as { value: string }[];
    const leaves = (await source.query('SELECT index::int, leaf FROM admin_tree_leaf ORDER BY index')) as object[];
    expect(leaves).toEqual(rows.map(({ value }, index) => ({ index, leaf: recordLeafOf(Buffer.from(value)) })));
    expect(rows).toHaveLength(odd.length);
  });

  it('is signed in its rhythm, each checkpoint from where the last one ended', async () => {
    await consume();
    const outbox = outboxOf(SOON_MS);
    outbox.start();
    for (const size of [1, 3, 6]) {
      await actAll(outbox, size - records.length);
      await vi.waitFor(() => expect(checkpoints.at(-1)?.size).toBe(size), WAIT);
    }
    expect(sizesOf().at(-1)).toBe(6);
    expect([await count('admin_tree_leaf'), await count('outbox')]).toEqual([0, 0]);
  });

  it('is signed at once behind many records, and at the end of the process whatever the time', async () => {
    await consume();
    const outbox = outboxOf(NEVER_MS);
    outbox.start();
    await outbox.drained();
    await actAll(outbox, CHECKPOINT_RECORDS + 1);
    await vi.waitFor(() => expect(checkpoints[0]?.size).toBeGreaterThanOrEqual(CHECKPOINT_RECORDS), WAIT);
    await act(outbox);
    await outbox.stop();
    await vi.waitFor(() => expect(sizesOf().at(-1)).toBe(CHECKPOINT_RECORDS + 2), WAIT);
  });

  it('names no record that has not left', async () => {
    const outbox = outboxOf(SOON_MS);
    outbox.start();
    await actAll(outbox, 3);
    // Nobody takes records, so they wait; the acts of a service do not.
    expect(await advanceTree(source, `admin/${schema}`, privateKey, 0)).toBe(0);
    expect(await count('outbox')).toBe(3);
    await consume();
    await vi.waitFor(() => expect(sizesOf().at(-1)).toBe(3), WAIT);
  });

  it('has one content for each place, whichever processes of the service write and sign', async () => {
    await consume();
    const outboxes = [outboxOf(SOON_MS), outboxOf(SOON_MS)];
    for (const outbox of outboxes) outbox.start();
    await Promise.all(Array.from({ length: 40 }, (_, n) => act(outboxes[n % 2]!, n)));
    await vi.waitFor(() => expect(sizesOf().at(-1)).toBe(40), WAIT);
    await outboxes[0]!.stop();
    await act(outboxes[1]!);
    await vi.waitFor(() => expect(sizesOf().at(-1)).toBe(41), WAIT);
    expect(new Set(checkpoints.map(({ leavesFrom }) => leavesFrom)).size).toBe(checkpoints.length);
  });

  it('lets one of two that sign from the same size do so', async () => {
    const outbox = outboxOf(NEVER_MS);
    await actAll(outbox, 4);
    await source.query('DELETE FROM outbox');
    const late: [string, readonly unknown[]][] = [];
    // Another process that has read the tree, and comes to its writing behind this one.
    const other = {
      query: async (text: string, values: readonly unknown[]) => (late.push([text, values]), []) as never,
    };
    const reading = {
      query: (text: string, values: readonly unknown[]) =>
        text.includes('INSERT') ? other.query(text, values) : source.query(text, [...values]),
    };
    await advanceTree(reading, `admin/${schema}`, privateKey, 1);
    await advanceTree(source, `admin/${schema}`, privateKey, 2);
    for (const [text, values] of late) await source.query(text, [...values]);
    const rows = (await source.query('SELECT value FROM outbox')) as { value: string }[];
    expect(rows.map(({ value }) => (JSON.parse(value) as AuditCheckpoint).atMs)).toEqual([2]);
  });

  it('begins behind the records that were there before it, of which it says nothing', async () => {
    await source.query(`DROP SCHEMA ${schema} CASCADE`);
    await source.destroy();
    source = await migrated([CreateOutbox1790000000000]);
    const outbox = outboxOf(SOON_MS);
    await actAll(outbox, 5);
    await source.destroy();
    source = await migrated([CreateOutbox1790000000000, CreateAdminTree1790000000100]);
    await act(outbox);
    await consume();
    outbox.start();
    await vi.waitFor(() => expect(sizesOf(unknownBeginning(5))).toEqual([6]), WAIT);
    expect(records).toHaveLength(6);
  });

  it('is not signed any further where somebody took a leaf, and says so', async () => {
    await consume();
    const outbox = outboxOf(SOON_MS);
    await actAll(outbox, 3);
    await source.query('DELETE FROM admin_tree_leaf WHERE index = 1');
    outbox.start();
    await outbox.drained([auditRecordedTopic]);
    await vi.waitFor(() => expect(warned).toContainEqual(expect.objectContaining({ log: `admin/${schema}` })), WAIT);
    expect(JSON.stringify(warned)).toContain(`admin/${schema} lacks leaves behind its record -1`);
    expect(checkpoints).toEqual([]);
  });

  it('goes on without a key, is not signed, and says so', async () => {
    await consume();
    const outbox = outboxOf(SOON_MS, null);
    outbox.start();
    await actAll(outbox, 3);
    await vi.waitFor(async () => expect(await count('admin_tree_leaf')).toBe(0), WAIT);
    const range = new CompactRange();
    for (const text of records) range.append(leafHashOf(Buffer.from(`${text.split(',"personal":')[0]!}}`)));
    const frontier = range.hashes.map((hash) => hash.toString('base64'));
    expect(await source.query('SELECT size::int, frontier FROM admin_tree')).toEqual([{ size: 3, frontier }]);
    expect([warned, checkpoints]).toEqual([[{ log: `admin/${schema}` }], []]);
  });
});
