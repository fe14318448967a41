import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { type Bus, createKafkaBus } from '@warder/bus';
import { type AuditRecord, auditRecordedTopic } from '@warder/contracts';
import { sharedKafka } from '@warder/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exampleRecord } from './example-halves.scene.js';
import { openJournal } from './journal.js';

const package_ = fileURLToPath(new URL('..', import.meta.url));
const log = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const node = `journal-spec-${process.pid}`;
let dir: string;
let brokers: string[];
let bus: Bus;

beforeAll(async () => {
  // The draining thread runs built code.
  execFileSync(join(package_, '../../node_modules/.bin/tsc'), ['-b', package_], { stdio: 'inherit' });
  dir = mkdtempSync(join(tmpdir(), 'warder-journal-kafka-'));
  brokers = await sharedKafka();
  bus = createKafkaBus({ node, service: 'audit', brokers, log, clock });
  await bus.ensureTopics([auditRecordedTopic]);
}, 120_000);
afterAll(async () => {
  await bus?.close();
  rmSync(dir, { recursive: true, force: true });
});

it('delivers to Kafka from a thread of its own, what a paused one kept and what a dead node left included', async () => {
  const seen = new Map<string, number[]>();
  await bus.batch(auditRecordedTopic, node, async (batch) => {
    for (const { key, value } of batch) {
      const record = JSON.parse(value.toString()) as AuditRecord;
      expect(key).toBe(record.recordId);
      if (!record.log.startsWith(node)) continue;
      seen.set(record.log, [...(seen.get(record.log) ?? []), record.sequence]);
    }
  });
  const options = { dir, sizeMaxBytes: 8 << 20, segmentBytes: 1 << 20, log, clock };
  const kafka = { kind: 'kafka', options: { node, service: 'ingress', brokers } } as const;
  const dead = await openJournal({ ...options, node: `${node}-dead`, drain: kafka, closeTimeoutMs: 0 });
  dead.pause();
  for (let n = 0; n < 20; n++) await dead.append(JSON.stringify({ ...exampleRecord, recordId: idOf(n) }));
  await dead.close();

  const journal = await openJournal({ ...options, node, drain: kafka });
  const appended = Array.from({ length: 2_000 }, (_, n) =>
    journal.append(JSON.stringify({ ...exampleRecord, recordId: idOf(100 + n) })),
  );
  await Promise.all(appended);
  await expect.poll(() => journal.undelivered(), { timeout: 20_000 }).toBe(0);
  await journal.close();
  const sorted = (name: string): number[] => [...(seen.get(name) ?? [])].sort((a, b) => a - b);
  await expect.poll(() => sorted(journal.log).length, { timeout: 20_000 }).toBe(2_000);
  expect(sorted(journal.log)).toEqual(appended.map((_, n) => n + 1));
  expect(sorted(dead.log)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
}, 60_000);

it('delivers a log that could not be opened at first', async () => {
  const mark = join(dir, `${node}-blocked`, '0', 'delivered.0');
  mkdirSync(mark, { recursive: true });
  let failed = (): void => {};
  const isToldOf = new Promise<void>((resolve) => (failed = resolve));
  const journal = await openJournal({
    dir,
    node: `${node}-blocked`,
    sizeMaxBytes: 8 << 20,
    segmentBytes: 1 << 20,
    clock,
    log: { ...log, error: () => failed() },
    drain: { kind: 'kafka', options: { node, service: 'ingress', brokers } },
  });
  await journal.append(JSON.stringify({ ...exampleRecord, recordId: idOf(5_000) }));
  await isToldOf;
  rmdirSync(mark);
  await expect.poll(() => journal.undelivered(), { timeout: 20_000 }).toBe(0);
  await journal.close();
}, 60_000);

it('ends within its bound while a broker takes the connection and never answers', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const brokers = [`127.0.0.1:${port}`];
  const kafka = { kind: 'kafka', options: { node, service: 'ingress', brokers } } as const;
  const options = { dir, sizeMaxBytes: 8 << 20, segmentBytes: 1 << 20, log, clock, closeTimeoutMs: 10 };
  const journal = await openJournal({ ...options, node: `${node}-silent`, drain: kafka });
  await journal.append(JSON.stringify({ ...exampleRecord, recordId: idOf(1) }));
  await once(silent, 'connection');
  const startedAtMs = performance.now();
  await journal.close();
  expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  silent.close();
}, 30_000);

function idOf(n: number): string {
  return `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`;
}
