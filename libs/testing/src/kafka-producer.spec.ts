import { readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { type BusLog, createKafkaClient } from '@warder/bus';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventTopic, eventually, kafkaBus } from './bus.scene.js';
import { type KafkaBroker, startKafkaBroker } from './kafka-broker.js';
import { KafkaRequest, type KafkaProxy, startKafkaProxy } from './kafka-proxy.js';

let proxy: KafkaProxy;
let broker: KafkaBroker;
let brokers: string[];

beforeAll(async () => {
  proxy = await startKafkaProxy();
  broker = await startKafkaBroker({ advertisedPort: proxy.port });
  proxy.target(Number(broker.brokers[0]!.split(':')[1]));
  brokers = [`127.0.0.1:${proxy.port}`];
});

afterAll(async () => {
  await broker.stop();
  await proxy.stop();
});

/** Types of the errors for which a batch went again, down to what the broker answered. */
function logOfRetries(types: string[]): BusLog {
  const warn = ({ err }: { err?: Error }): void => {
    for (let cause: unknown = err; cause instanceof Error; cause = cause.cause) {
      const { type } = cause as Error & { type?: string };
      if (type !== undefined) types.push(type);
    }
  };
  return { debug() {}, info() {}, warn, error() {} };
}

it('loses and doubles nothing when acknowledgements are lost on their way', async () => {
  const topic = eventTopic();
  const bus = kafkaBus(brokers, { bounds: { deadlineMs: 30_000 } });
  const answers = { produced: 0, broken: 0 };
  proxy.judge((request) => {
    if (request !== KafkaRequest.produce || ++answers.produced % 7 !== 3) return 'forward';
    answers.broken += 1;
    return 'break';
  });
  const keys: string[] = [];
  await Promise.all(
    Array.from({ length: 5 }, async (_, publisher) => {
      for (let index = 0; index < 30; index += 1) {
        const key = `${publisher}/${index}`;
        await bus.publishRaw(topic, [{ key, value: Buffer.from('{}') }]);
        keys.push(key);
      }
    }),
  );
  proxy.judge(() => 'forward');
  expect(answers.broken).toBeGreaterThan(2);
  const seen: string[] = [];
  await bus.batch(topic, 'store', async (batch) => void seen.push(...batch.map(({ key }) => key!)));
  await eventually(async () => expect(await bus.lag(topic, 'store')).toEqual({ records: 0, ms: 0 }), 30_000);
  expect(seen.toSorted()).toEqual(keys.toSorted());
}, 90_000);

it('takes a new producer when the broker’s log does not go on from its sequence (45), and goes on', async () => {
  const topic = eventTopic();
  const types: string[] = [];
  const bus = kafkaBus(brokers, { bounds: { deadlineMs: 30_000 }, log: logOfRetries(types) });
  const publish = (key: string): Promise<void> => bus.publishRaw(topic, [{ key, value: Buffer.from('{}') }]);
  for (const key of ['a', 'b', 'c']) await publish(key);
  await broker.kill();
  loseLastBatch(join(broker.dataDir, `${topic.name}-0`));
  await broker.restart();
  for (const key of ['d', 'e', 'f']) await publish(key);
  expect(types).toContain('OUT_OF_ORDER_SEQUENCE_NUMBER');
  const seen: string[] = [];
  await bus.batch(topic, 'store', async (batch) => void seen.push(...batch.map(({ key }) => key!)));
  await eventually(() => expect(seen).toEqual(['a', 'b', 'd', 'e', 'f']), 30_000);
}, 90_000);

it('goes on when its topic was deleted and made anew', async () => {
  const topic = eventTopic();
  const bus = kafkaBus(brokers, { bounds: { deadlineMs: 30_000 } });
  const publish = (key: string): Promise<void> => bus.publishRaw(topic, [{ key, value: Buffer.from('{}') }]);
  for (const key of ['a', 'b']) await publish(key);
  await makeAnew(topic.name);
  for (const key of ['c', 'd']) await publish(key);
  const seen: string[] = [];
  await bus.batch(topic, 'store', async (batch) => void seen.push(...batch.map(({ key }) => key!)));
  await eventually(() => expect(seen).toEqual(['c', 'd']), 30_000);
}, 90_000);

it('refuses a message that the broker will not have, and only that one', async () => {
  const topic = { ...eventTopic(), messageBytesMax: 20_000 };
  const bus = kafkaBus(brokers);
  const bytes = Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, () => Math.random())));
  const outcomes = await Promise.allSettled([
    bus.publishRaw(topic, [{ key: 'a', value: Buffer.from('{}') }]),
    bus.publishRaw(topic, [{ key: 'large', value: bytes }]),
    bus.publishRaw(topic, [{ key: 'b', value: Buffer.from('{}') }]),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(outcomes[1]).toMatchObject({ reason: { reason: 'refused' } });
}, 60_000);

/** Takes the last record batch out of a stopped broker's log, and what it remembers of producers. */
function loseLastBatch(dir: string): void {
  const file = join(dir, '00000000000000000000.log');
  const bytes = readFileSync(file);
  let last = 0;
  // Base offset (8), length of the rest (4), …; the file is longer than its batches where it was preallocated.
  for (let at = 0; at + 12 < bytes.length && bytes.readInt32BE(at + 8) > 0; at += 12 + bytes.readInt32BE(at + 8))
    last = at;
  expect(last).toBeGreaterThan(0);
  truncateSync(file, last);
  const derived = readdirSync(dir).filter((name) => /\.(?:snapshot|index|timeindex)$/.test(name));
  for (const name of derived) rmSync(join(dir, name));
}

async function makeAnew(name: string): Promise<void> {
  const log: BusLog = { debug() {}, info() {}, warn() {}, error() {} };
  const admin = createKafkaClient({ node: 'admin', brokers, log }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [name] });
  await eventually(async () => expect(await admin.listTopics()).not.toContain(name));
  await eventually(async () => {
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: name, numPartitions: 1 }] });
  });
  await admin.disconnect();
}
