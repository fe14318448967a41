import { type Bus, createKafkaBus } from '@warder/bus';
import { type AuditExportDeadLetter, auditExportDeadLetterTopic, auditRecordedTopic } from '@warder/contracts';
import { Metrics } from '@warder/telemetry';
import { FakeElasticBulk, FakeSplunkHec, sharedKafka } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Exporters } from './exporters.js';
import { ExportersSettings } from './exporters-settings.js';
import { exportRecord, ExportScene } from './http-destination.scene.js';

const WAIT = { timeout: 60_000, interval: 100 };
const TOKEN = 'canary-token-of-hec';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

describe('exporters over HTTP on Kafka', { timeout: 120_000 }, () => {
  const scene = new ExportScene();
  let bus: Bus;
  const logged: string[] = [];
  const note = (fields: object, message: string) => void logged.push(`${JSON.stringify(fields)} ${message}`);
  const log = { debug: note, info: note, warn: note, error: note };

  beforeAll(async () => {
    bus = createKafkaBus({ node: `http-${process.pid}`, service: 'audit', brokers: await sharedKafka(), log, clock });
    await bus.ensureTopics([auditRecordedTopic, auditExportDeadLetterTopic]);
  });
  afterAll(async () => {
    await scene.end();
    await bus?.close();
  });

  it('bring every record through faults to each receiver, one with a key of its own once, and set the bad one aside', async () => {
    const splunk = await FakeSplunkHec.start({ token: TOKEN, acknowledgement: true });
    scene.opens(splunk.receiver);
    const elastic = await FakeElasticBulk.start({ authorization: 'ApiKey a2V5', target: 'audit', isDataStream: false });
    scene.opens(elastic.receiver);
    const letters: AuditExportDeadLetter[] = [];
    const watching = await bus.watch(auditExportDeadLetterTopic, 'end', ({ value }) => void letters.push(value));
    const records = Array.from({ length: 60 }, (_, n) => exportRecord(process.pid * 1_000_000 + n));
    const bad = records[31]!;
    elastic.refuses = ({ event }) =>
      (event as { id: string }).id === bad.key ? 'document_parsing_exception' : undefined;
    splunk.receiver.faults.push('reset-before', { status: 503, body: '{"code":9}' }, undefined, 'reset-after');
    elastic.receiver.faults.push('reset-after', { status: 429, body: '' }, 'reset-within', {
      status: 401,
      body: TOKEN,
    });
    const name = `http-${process.pid}`;
    const settings = ExportersSettings.parse({
      [`${name}-splunk`]: {
        kind: 'splunk-hec',
        url: splunk.receiver.url,
        tokenFile: scene.secretFile('token', TOKEN),
        ackPollMs: 1,
        sendTimeoutMs: 2_000,
      },
      [`${name}-elastic`]: {
        kind: 'elastic-bulk',
        url: elastic.receiver.url,
        target: { kind: 'index', name: 'audit' },
        apiKeyFile: scene.secretFile('key', 'a2V5'),
        batchRecordsMax: 7,
      },
    });
    for (const { key, text } of records) await bus.publishRaw(auditRecordedTopic, [{ key, value: Buffer.from(text) }]);
    const exporters = new Exporters(settings, { bus, clock, log, node: 'audit-1', metrics: new Metrics() });
    await exporters.start();
    try {
      const keys = records.map(({ key }) => key);
      const found = () => new Set(splunk.indexed.map(({ fields }) => fields?.record_id));
      await vi.waitFor(() => expect(keys.filter((key) => !found().has(key))).toEqual([]), WAIT);
      await vi.waitFor(() => expect(keys.filter((key) => !elastic.documents.has(key))).toEqual([bad.key]), WAIT);
      const ofBad = () => letters.filter(({ recordId }) => recordId === bad.key);
      await vi.waitFor(() => expect(ofBad().length).toBe(1), WAIT);
      expect(ofBad()[0]?.reason).toBe('the receiver refuses it (400 document_parsing_exception)');
      const reports = await exporters.reports();
      expect(reports.map(({ status }) => status)).toEqual(['well', 'well']);
      expect(reports.every(({ lastError }) => lastError !== null)).toBe(true);
      expect(JSON.stringify([reports, logged])).not.toContain('canary');
    } finally {
      await exporters.stop();
      await watching.stop();
    }
  });

  it('do not begin without their secret, and say which exporter lacks it', () => {
    const url = 'https://splunk.example';
    const settings = ExportersSettings.parse({ splunk: { kind: 'splunk-hec', url, tokenFile: '/nowhere/token' } });
    expect(() => new Exporters(settings, { bus, clock, log, node: 'audit-1', metrics: new Metrics() })).toThrow(
      'exporters.splunk: tokenFile cannot be read (ENOENT)',
    );
  });
});
