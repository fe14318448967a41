import { type Bus, BusError, createInProcessBus, createKafkaBus } from '@warder/bus';
import {
  AuditDeadLetter,
  auditDeadLetterTopic,
  type AuditOcsfEvent,
  auditOcsfTopic,
  auditRecordedTopic,
} from '@warder/contracts';
import { recordLeafOf } from '@warder/merkle-log';
import { createLogger, Metrics } from '@warder/telemetry';
import { type KafkaBroker, ocsfFaults, type OcsfSchema, resolveOcsfSchema, startKafkaBroker } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OcsfTopic } from './ocsf-topic.js';

const log = createLogger('test', { level: 'silent' });
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

describe('the topic of OCSF events', () => {
  let broker: KafkaBroker;
  let schema: OcsfSchema;
  let bus: Bus;
  const events = new Map<string, AuditOcsfEvent[]>();
  const letters: AuditDeadLetter[] = [];
  const running: (() => Promise<void>)[] = [];
  let lastRecord = 0;

  const busOf = (node: string): Bus => {
    const made = createKafkaBus({ node, service: 'audit', brokers: broker.brokers, log, clock });
    running.push(() => made.close());
    return made;
  };

  beforeAll(async () => {
    broker = await startKafkaBroker();
    schema = await resolveOcsfSchema();
    bus = busOf('test');
    await bus.ensureTopics([auditRecordedTopic, auditOcsfTopic, auditDeadLetterTopic]);
    await bus.watch(auditOcsfTopic, 'beginning', ({ key, value }) => {
      events.set(key, [...(events.get(key) ?? []), value]);
    });
    await bus.watch(auditDeadLetterTopic, 'beginning', ({ value }) => letters.push(value));
  }, 320_000);
  afterAll(async () => {
    for (const stop of running.splice(0).reverse()) await stop();
    await broker?.stop();
  }, 60_000);

  /** Starts what fills the topic; answers what stops it. */
  async function start(node: string, through: (own: Bus) => Bus = (own) => own): Promise<() => Promise<void>> {
    const own = busOf(node);
    const drains: (() => Promise<void>)[] = [];
    const onDrain = (_: string, drain: () => Promise<void>) => void drains.push(drain);
    const host = {
      bus: through(own),
      broker: { brokers: broker.brokers },
      clock,
      log,
      metrics: new Metrics(),
      onDrain,
    };
    await new OcsfTopic(host, true).onApplicationBootstrap();
    return async () => {
      for (const drain of drains) await drain();
    };
  }

  const recordText = (): { id: string; text: string } => {
    const id = `0193673e-7c1f-7d5e-8a55-${String(++lastRecord).padStart(12, '0')}`;
    return { id, text: JSON.stringify({ ...auditRecordedTopic.example, recordId: id, sequence: lastRecord }) };
  };
  const publish = async (count: number): Promise<{ id: string; text: string }[]> => {
    const records = Array.from({ length: count }, recordText);
    await bus.publishRaw(
      auditRecordedTopic,
      records.map(({ id, text }) => ({ key: id, value: Buffer.from(text) })),
    );
    return records;
  };
  const arrived = (records: readonly { id: string }[]) =>
    vi.waitUntil(() => records.every(({ id }) => events.has(id)), { timeout: 30_000 });

  it('holds each record as a valid event under its id, with the hash of its leaf, over a restart', async () => {
    const before = await publish(40);
    const stop = await start('audit-1');
    await arrived(before);
    await stop();
    const between = await publish(40);
    const stopAgain = await start('audit-2');
    await arrived(between);
    await stopAgain();
    for (const { id, text } of [...before, ...between]) {
      expect([id, events.get(id)?.length]).toEqual([id, 1]);
      const [event] = events.get(id)!;
      expect(ocsfFaults(schema, event)).toEqual([]);
      expect(event!.metadata.uid).toBe(id);
      expect(event!.unmapped.leaf_hash).toBe(recordLeafOf(Buffer.from(text)).toString('hex'));
    }
  });

  it('sets aside what is no record, with a reason that quotes nothing, and goes on behind it', async () => {
    const stop = await start('audit-3');
    const deep = `${'['.repeat(90)}${']'.repeat(90)}`;
    const poison = [
      Buffer.from([0xff]),
      Buffer.from('{"secret":'),
      Buffer.from('{"kind":"hunter2"}'),
      Buffer.from(deep),
    ];
    await bus.publishRaw(
      auditRecordedTopic,
      poison.map((value, index) => ({ key: `poison-${index}`, value })),
    );
    await arrived(await publish(3));
    await vi.waitUntil(() => letters.length === 4, { timeout: 30_000 });
    await stop();
    const found = letters.toSorted((a, b) => String(a.key).localeCompare(String(b.key)));
    expect(found.map(({ key, value }) => [key, value])).toEqual(
      poison.map((value, index) => [`poison-${index}`, value.toString('base64')]),
    );
    expect(found.map(({ reason }) => reason.slice(0, 60))).toEqual([
      'no OCSF event: TypeError',
      'no OCSF event: JsonError',
      expect.stringContaining('no OCSF event: not an audit record: log: invalid_type'),
      'no OCSF event: JsonError',
    ]);
    expect(JSON.stringify(found.map(({ reason }) => reason))).not.toContain('hunter2');
  });

  it('commits no batch whose events were not acknowledged', async () => {
    let refusals = 0;
    const refusing = (own: Bus): Bus => {
      const wrapped = Object.create(own) as Bus;
      wrapped.publishRaw = async (topic, entries) => {
        if (refusals++ < 2) throw new BusError('deadline', 'no acknowledgement');
        await own.publishRaw(topic, entries);
      };
      return wrapped;
    };
    const records = await publish(20);
    const stop = await start('audit-4', refusing);
    await arrived(records);
    await stop();
    expect(refusals).toBeGreaterThan(2);
    for (const { id } of records) expect([id, events.get(id)?.length]).toEqual([id, 1]);
    await vi.waitUntil(async () => (await bus.lag(auditRecordedTopic, 'ocsf')).records === 0, { timeout: 30_000 });
  });

  it('is left alone within one process, where nobody could subscribe to it', async () => {
    const alone = createInProcessBus({ node: 'standalone', log, clock });
    const batch = vi.spyOn(alone, 'batch');
    const host = { bus: alone, broker: undefined, clock, log, metrics: new Metrics(), onDrain: () => {} };
    await new OcsfTopic(host, true).onApplicationBootstrap();
    expect(batch).not.toHaveBeenCalled();
    await alone.close();
  });
});
