import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type AuditRecord, auditRecordedTopic } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CreateAudit1790000002000 } from './migrations/create-audit.js';

const PARTITIONS = 6;
const MESSAGES = 600;
const KILLS = 3;

/**
 * Ingest as it was built, in a process of its own: hands it batches of every partition, from where it is told, and says
 * after each what the bus would commit.
 */
const PROCESS = `
import { readFileSync, writeSync } from 'node:fs';
import { createInProcessBus } from '@warder/bus';
import { auditDeadLetterTopic } from '@warder/contracts';
import { Metrics } from '@warder/telemetry';
import { DataSource } from 'typeorm';
import { Ingest } from './dist/ingest.js';
import { RecordStore } from './dist/record.store.js';
const { url, file, from } = JSON.parse(process.argv.at(-1));
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { wallMs: Date.now, monotonicMs: () => performance.now() };
const source = await new DataSource({ type: 'postgres', url }).initialize();
const bus = createInProcessBus({ node: 'audit', log: quiet, clock });
await bus.ensureTopics([auditDeadLetterTopic]);
const ingest = new Ingest(new RecordStore(source, bus, clock.wallMs), quiet, new Metrics());
await Promise.all(
  JSON.parse(readFileSync(file, 'utf8')).map(async (texts, partition) => {
    for (let at = from[partition]; at < texts.length; ) {
      const size = 1 + ((at * 7 + partition) % 40);
      const batch = texts.slice(at, at + size).map((text, n) => {
        return { key: 'k', value: Buffer.from(text), partition, offset: String(at + n), timestampMs: 0 };
      });
      await ingest.take(batch);
      at += batch.length;
      writeSync(1, partition + ' ' + at + '\\n');
    }
  }),
);
await source.destroy();
await bus.close();
`;

let postgres: EmbeddedPostgres;
let source: DataSource;
const directory = mkdtempSync(join(tmpdir(), 'ingest-kill-'));
const file = join(directory, 'messages.json');

beforeAll(async () => {
  postgres = await startEmbeddedPostgres({ ephemeral: true });
  source = new DataSource({ type: 'postgres', url: postgres.url, migrations: [CreateAudit1790000002000] });
  await source.initialize();
  await source.runMigrations();
});
afterAll(async () => {
  await source?.destroy();
  await postgres?.stop();
  rmSync(directory, { recursive: true });
});

const idOf = (partition: number, offset: number): string =>
  `0193673e-7c1f-7d5e-8a55-${String(partition * MESSAGES + offset).padStart(12, '0')}`;
/** What is worst to encode, in turn. */
const TOOLS = ['echo', '', null, 'größe-☃-𝄞', 'a\tb"\\', '\u{10ffff}\uffff'];

function textOf(partition: number, offset: number): string {
  // A message that is no record, and one that its writer sent twice.
  if (offset % 50 === 7) return '{"a":';
  if (offset % 40 === 11) return textOf(partition, offset - 1);
  const record: AuditRecord = {
    ...auditRecordedTopic.example,
    recordId: idOf(partition, offset),
    sequence: offset + 1,
    log: `ingress-${partition}`,
    occurredAtMs: auditRecordedTopic.example.occurredAtMs + offset,
    tool: TOOLS[offset % TOOLS.length]!,
    decision: offset % 3 === 0 ? 'forbid' : 'permit',
    ...(offset % 5 === 0 ? { principal: null, agent: null, personal: null } : {}),
  };
  return JSON.stringify(record);
}

/** Runs until it has committed so often, and kills it; to its end where that is never. */
async function run(from: readonly number[], commitsMax: number): Promise<number[]> {
  const input = JSON.stringify({ url: postgres.url, file, from });
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROCESS, '-', input], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd,
  });
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  const committed = [...from];
  let commits = 0;
  for await (const line of createInterface(child.stdout)) {
    const [partition, offset] = line.split(' ').map(Number) as [number, number];
    committed[partition] = offset;
    if (++commits === commitsMax) child.kill('SIGKILL');
  }
  expect(await ended).toEqual(commitsMax === Infinity ? [0, null] : [null, 'SIGKILL']);
  return committed;
}

const stored = async (): Promise<Map<string, string>> => {
  const rows: { id: string; text: string }[] = await source.query(
    'SELECT record_id AS id, record::text AS text FROM call_record',
  );
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  return new Map(rows.map(({ id, text }) => [id, text]));
};

it('loses no record, stores none twice or as other bytes, and counts each once, whenever it is killed', async () => {
  const texts = Array.from({ length: PARTITIONS }, (_, partition) =>
    Array.from({ length: MESSAGES }, (_each, offset) => textOf(partition, offset)),
  );
  writeFileSync(file, JSON.stringify(texts));
  const recordsOf = (some: readonly string[]) =>
    some.flatMap((text) => (text.endsWith('}') ? [JSON.parse(text) as AuditRecord] : []));
  let committed = texts.map(() => 0);
  for (let kill = 0; kill < KILLS; kill++) {
    committed = await run(committed, 5 + kill * 3);
    const known = await stored();
    const promised = texts.flatMap((of, partition) => recordsOf(of.slice(0, committed[partition])));
    expect(promised.filter(({ recordId }) => !known.has(recordId))).toEqual([]);
  }
  await run(committed, Infinity);
  const whole = new Map(texts.flat().flatMap((text) => recordsOf([text]).map(({ recordId }) => [recordId, text])));
  expect(await stored()).toEqual(whole);
  const [counted] = await source.query(
    'SELECT sum(permitted)::int AS permitted, sum(forbidden)::int AS forbidden FROM usage_day',
  );
  const decisions = recordsOf([...whole.values()]).map(({ decision }) => decision);
  const permitted = decisions.filter((decision) => decision === 'permit').length;
  expect(counted).toEqual({ permitted, forbidden: decisions.length - permitted });
  const [{ unreadable }] = await source.query('SELECT count(*)::int AS unreadable FROM quarantine');
  expect(unreadable).toBe(texts.flat().filter((text) => !text.endsWith('}')).length);
}, 60_000);
