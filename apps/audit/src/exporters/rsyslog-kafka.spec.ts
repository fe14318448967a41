import { createKafkaBus } from '@warder/bus';
import { auditRecordedTopic } from '@warder/contracts';
import { sharedKafka, startRsyslogOnKafka } from '@warder/testing';
import { expect, it, vi } from 'vitest';
import { exportRecord } from './receivers.scene.js';
import { renderJson } from './render-json.js';

const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = { debug() {}, info() {}, warn() {}, error() {} };
const FORGED = '<110>1 2026-11-22T09:00:01Z ingress-0 warder - call - {"recordId":"forged"}';
const HOSTILE = [
  `a\n${FORGED}\nb`,
  `a\r\n${FORGED}`,
  `a\u2028${FORGED}`,
  `${'A'.repeat(8_097)}${FORGED}`,
  `${FORGED} `.repeat(1_300),
  '"\\'.repeat(50_000),
];

it.each(['record', 'ocsf'] as const)(
  'is read from Kafka by rsyslog, one line for each, byte for byte (%s)',
  async (format) => {
    const brokers = await sharedKafka();
    const topic = { ...auditRecordedTopic, name: `warder.audit.spec-${process.pid}-${format}.v1` };
    const bus = createKafkaBus({ node: 'spec', service: 'audit', brokers, log, clock });
    await bus.ensureTopics([topic]);
    const texts = HOSTILE.map((text, at) => renderJson(exportRecord(at, text), format)).toSorted();
    for (const text of texts) await bus.publishRaw(topic, [{ key: 'any', value: Buffer.from(text) }]);
    const receiver = await startRsyslogOnKafka({ broker: brokers[0]!, topic: topic.name, group: 'siem-rsyslog' });
    try {
      await vi.waitFor(
        async () => {
          const lines = (await receiver.lines('kafka.jsonl')).map(({ msg }) => msg);
          expect(lines.toSorted()).toEqual(texts);
        },
        { timeout: 60_000, interval: 200 },
      );
    } finally {
      await receiver.stop();
      await bus.close();
    }
  },
  120_000,
);
