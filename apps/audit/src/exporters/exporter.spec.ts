import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type Bus, createKafkaBus } from '@warder/bus';
import { type AuditExportDeadLetter, auditExportDeadLetterTopic, auditRecordedTopic } from '@warder/contracts';
import { Metrics } from '@warder/telemetry';
import { freeReceiverPort, sharedKafka, type SiemReceiver, startRsyslog } from '@warder/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Destination, ExportRecord, RefusedRecord } from './destination.js';
import { Exporter } from './exporter.js';
import { ExporterCounters } from './exporter-counters.js';
import { Exporters } from './exporters.js';
import { ExporterSettings } from './exporters-settings.js';
import { CLIENT_NAME, exportRecord, idsOf, makeReceiversScene, type ReceiversScene } from './receivers.scene.js';

const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = { debug() {}, info() {}, warn() {}, error() {} };
const WAIT = { timeout: 60_000, interval: 100 };
const SYSLOG = {
  kind: 'syslog',
  host: '127.0.0.1',
  tls: { caFile: 'a', certificateFile: 'b', keyFile: 'c' },
  batchRecordsMax: 10,
  sendTimeoutMs: 500,
};

/** A receiver that takes what it is told to take, and knows everything it was sent. */
class Shelf implements Destination {
  readonly taken: ExportRecord[] = [];
  isAway = false;
  readonly refused = new Set<string>();

  async send(batch: readonly ExportRecord[]): Promise<readonly RefusedRecord[]> {
    if (this.isAway) throw new Error('away');
    const kept = batch.filter(({ key }) => !this.refused.has(key));
    this.taken.push(...kept);
    return batch.filter((record) => !kept.includes(record)).map((record) => ({ record, reason: 'no\nthanks' }));
  }

  state(): { status: 'well' } {
    return { status: 'well' };
  }

  async close(): Promise<void> {}
}

describe('an exporter on Kafka', { timeout: 120_000 }, () => {
  let bus: Bus;
  let name: string;
  let numbers = 0;
  const running: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    bus = createKafkaBus({ node: `export-${process.pid}`, service: 'audit', brokers: await sharedKafka(), log, clock });
    await bus.ensureTopics([auditRecordedTopic, auditExportDeadLetterTopic]);
  });
  beforeEach(() => {
    name = `spec-${process.pid}-${performance.now()}`;
  });
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop();
  });
  afterAll(() => bus?.close());

  const start = async (destination: Destination, change: object = {}): Promise<Exporter> => {
    const settings = ExporterSettings.parse({ ...SYSLOG, ...change });
    const exporter = new Exporter(
      name,
      settings,
      destination,
      { bus, clock, log },
      new ExporterCounters(new Metrics()),
    );
    running.push(exporter);
    await exporter.start();
    return exporter;
  };
  const publish = async (count: number): Promise<string[]> => {
    const records = Array.from({ length: count }, () => exportRecord(process.pid * 100_000 + numbers++));
    for (const { key, text } of records) await bus.publishRaw(auditRecordedTopic, [{ key, value: Buffer.from(text) }]);
    return records.map(({ key }) => key);
  };
  const mine = (shelf: Shelf, keys: readonly string[]): string[] =>
    shelf.taken.map(({ key }) => key).filter((key) => keys.includes(key));

  it('brings every record once, and goes on there after a stop', async () => {
    const first = await publish(30);
    const shelf = new Shelf();
    const exporter = await start(shelf);
    await vi.waitFor(() => expect(mine(shelf, first).toSorted()).toEqual(first), WAIT);
    await vi.waitFor(async () => expect((await exporter.report()).lag).toEqual({ records: 0, seconds: 0 }), WAIT);
    await exporter.stop();
    const second = await publish(30);
    const later = new Shelf();
    await start(later);
    await vi.waitFor(() => expect(mine(later, second).toSorted()).toEqual(second), WAIT);
    expect(mine(later, first)).toEqual([]);
  });

  it('commits nothing while its receiver is away, says so, and loses nothing', async () => {
    const shelf = new Shelf();
    shelf.isAway = true;
    const keys = await publish(25);
    const exporter = await start(shelf);
    await vi.waitFor(async () => expect((await exporter.report()).lastError?.message).toBe('away'), WAIT);
    expect((await exporter.report()).lag?.records).toBeGreaterThanOrEqual(25);
    shelf.isAway = false;
    await vi.waitFor(() => expect(mine(shelf, keys).toSorted()).toEqual(keys), WAIT);
  });

  it('exports again from a time on, and from the beginning', async () => {
    const before = await publish(10);
    const shelf = new Shelf();
    const exporter = await start(shelf);
    await vi.waitFor(() => expect(mine(shelf, before).toSorted()).toEqual(before), WAIT);
    const fromMs = Date.now() + 1;
    await vi.waitUntil(() => Date.now() > fromMs);
    const after = await publish(10);
    await vi.waitFor(() => expect(mine(shelf, after).toSorted()).toEqual(after), WAIT);
    await exporter.rewind(fromMs);
    const twice = [...after, ...after].toSorted();
    await vi.waitFor(() => expect(mine(shelf, after).toSorted()).toEqual(twice), WAIT);
    expect(mine(shelf, before).toSorted()).toEqual(before);
    await exporter.rewind('beginning');
    await vi.waitFor(() => expect(mine(shelf, before).toSorted()).toEqual([...before, ...before].toSorted()), WAIT);
  });

  it('sets a refused record aside with its reason and without its content, and goes on', async () => {
    const letters: AuditExportDeadLetter[] = [];
    await bus.watch(auditExportDeadLetterTopic, 'end', ({ value }) => void letters.push(value));
    const shelf = new Shelf();
    const keys = await publish(12);
    shelf.refused.add(keys[5]!);
    const exporter = await start(shelf);
    const others = keys.filter((key) => key !== keys[5]);
    await vi.waitFor(() => expect(mine(shelf, keys).toSorted()).toEqual(others), WAIT);
    await vi.waitFor(() => expect(letters.filter(({ exporter: by }) => by === name)).toHaveLength(1), WAIT);
    expect(letters.find(({ exporter: by }) => by === name)).toEqual({
      exporter: name,
      recordId: keys[5],
      topic: auditRecordedTopic.name,
      partition: expect.any(Number) as number,
      offset: expect.any(String) as string,
      reason: 'no thanks',
      atMs: expect.any(Number) as number,
    });
    expect((await exporter.report()).deadLetters).toBe(1);
  });
});

describe('exporters side by side', () => {
  let scene: ReceiversScene;
  let receiver: SiemReceiver;
  let bus: Bus;
  const hostile: Server[] = [];
  beforeAll(async () => {
    scene = await makeReceiversScene();
    const node = `side-${process.pid}`;
    bus = createKafkaBus({ node, service: `side-${process.pid}`, brokers: await sharedKafka(), log, clock });
    await bus.ensureTopics([auditRecordedTopic, auditExportDeadLetterTopic]);
  });
  afterAll(async () => {
    await bus?.close();
    await receiver?.stop();
    for (const server of hostile) server.close();
    scene.remove();
  });

  const listening = async (server: Server): Promise<number> => {
    hostile.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  it('are not delayed by one whose receiver never answers, never reads, or never acknowledges', async () => {
    const port = await freeReceiverPort();
    receiver = await startRsyslog({ files: scene.server, permittedPeer: CLIENT_NAME, relpPort: port });
    const tlsFiles = { cert: readFileSync(scene.server.certificateFile), key: readFileSync(scene.server.keyFile) };
    const silent = await listening(createServer((socket) => void socket.on('error', () => {}).pause()));
    const deaf = await listening(createTlsServer(tlsFiles, (socket) => void socket.on('error', () => {}).pause()));
    const mute = await listening(createTlsServer(tlsFiles, (socket) => void socket.on('error', () => {}).resume()));
    const common = { host: '127.0.0.1', tls: scene.client, sendTimeoutMs: 300, connectTimeoutMs: 300 };
    const settings = {
      good: ExporterSettings.parse({ ...common, kind: 'relp', port, sendTimeoutMs: 30_000, connectTimeoutMs: 30_000 }),
      silent: ExporterSettings.parse({ ...common, kind: 'syslog', port: silent }),
      // What the sockets take at once counts as sent, so this one is given more than they hold.
      deaf: ExporterSettings.parse({ ...common, kind: 'syslog', port: deaf, settleMs: 0 }),
      mute: ExporterSettings.parse({ ...common, kind: 'relp', port: mute }),
    };
    const exporters = new Exporters(settings, { bus, clock, log, node: 'audit-1', metrics: new Metrics() });
    const records = Array.from({ length: 2_000 }, (_, at) =>
      exportRecord(process.pid * 100_000 + 50_000 + at, 'x'.repeat(6_000)),
    );
    for (let at = 0; at < records.length; at += 100) {
      const entries = records.slice(at, at + 100).map(({ key, text }) => ({ key, value: Buffer.from(text) }));
      await bus.publishRaw(auditRecordedTopic, entries);
    }
    await exporters.start();
    try {
      const keys = new Set(records.map(({ key }) => key));
      await vi.waitFor(async () => {
        const ids = idsOf(await receiver.lines('relp.jsonl')).filter((id) => keys.has(id));
        expect(ids.toSorted()).toEqual([...keys]);
      }, WAIT);
      await vi.waitFor(async () => {
        const reports = Object.fromEntries((await exporters.reports()).map((report) => [report.name, report]));
        for (const name of ['silent', 'deaf', 'mute'])
          expect([name, reports[name]!.lastError]).not.toEqual([name, null]);
        expect(reports['silent']!.exported).toBe(0);
        expect(reports['mute']!.exported).toBe(0);
        expect(reports['mute']!.lag!.records).toBeGreaterThanOrEqual(records.length);
      }, WAIT);
    } finally {
      await exporters.stop();
    }
  }, 180_000);
});
