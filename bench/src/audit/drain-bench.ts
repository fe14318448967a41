import { createKafkaBus } from '@warder/bus';
import { type AuditRecord, auditRecordedTopic } from '@warder/contracts';
import { type Journal, openJournal } from '@warder/journal';
import { startKafkaBroker } from '@warder/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordGenerator } from './generated-records.js';
import type { Report } from './report.js';

/** Microseconds of CPU per record that are aimed at. */
const AIM_US = 10;
/** As many records pass before it is measured, until the compiler has nothing left to do. */
const WARM_UP_RECORDS = 40_000;
const AT_ONCE = 500;
const LATE_MS = 300_000;
const SEED = 3;
const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * What it costs to bring a record from the journal to Kafka, all threads together: records are written while the drain
 * is paused, then it runs with nothing beside it.
 */
export async function runDrain(records: number, { print, check }: Report): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'warder-bench-drain-'));
  const broker = await startKafkaBroker();
  const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
  const { brokers } = broker;
  try {
    const bus = createKafkaBus({ node: 'bench', service: 'ingress', brokers, log: QUIET, clock });
    await bus.ensureTopics([auditRecordedTopic]);
    await bus.close();
    const journal = await openJournal({
      dir,
      node: 'bench',
      sizeMaxBytes: 8_589_934_592,
      drain: { kind: 'kafka', options: { node: 'bench', service: 'ingress', brokers } },
      isPaused: true,
      log: QUIET,
      clock,
    });
    const generator = new RecordGenerator(SEED);
    await drained(journal, generator, WARM_UP_RECORDS);
    const us = await drained(journal, generator, records);
    await journal.close();
    print(`draining to Kafka: ${us.toFixed(1)} us of CPU a record`);
    check(`draining one record, aim ${AIM_US} us`, us <= AIM_US);
  } finally {
    await broker.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** @returns microseconds of CPU per record */
async function drained(journal: Journal, generator: RecordGenerator, records: number): Promise<number> {
  journal.pause();
  for (let written = 0; written < records; written += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => write(journal, generator)));
  }
  const before = process.cpuUsage();
  journal.resume();
  const lateAtMs = performance.now() + LATE_MS;
  while (journal.undelivered() > 0) {
    if (performance.now() > lateAtMs) throw new Error(`${journal.undelivered()} records are not delivered`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / records;
}

/** A call's two halves, as an ingress node writes them. */
async function write(journal: Journal, generator: RecordGenerator): Promise<void> {
  const record = JSON.parse(generator.next(Date.now()).value.toString()) as AuditRecord;
  const { log: _log, sequence: _sequence, index: _index, commitment: _commitment, personal, ...both } = record;
  const { decision, outcome, refusal, isError, findings, phasesUs, count, ...intent } = both;
  const { refusalDetail, result, ...personalIntent } = personal!;
  const first = JSON.stringify({ ...intent, personal: personalIntent });
  const last = { decision, outcome, refusal, isError, findings, phasesUs, count };
  const { sequence, written } = journal.openIntent(first, { strict: false });
  await written;
  await journal.closeIntent(sequence, JSON.stringify({ ...last, personal: { refusalDetail, result } }), {
    strict: false,
  });
}
