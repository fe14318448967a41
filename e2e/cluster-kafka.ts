import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditCheckpointTopic, auditRecordedTopic, type TokenState, tokenStateTopic } from '@warder/contracts';
import type { StartedCluster } from '@warder/testing';
import kafkajs, { type Consumer, type KafkaMessage, type Message } from 'kafkajs';
import { eventually } from './wire-agent.js';

/** What stands in the broker for one record. */
export interface PublishedRecord {
  readonly recordId: string;
  readonly log: string;
  readonly sequence: number;
}

/** Messages of one topic. */
export interface TopicMessages {
  readonly topic: string;
  readonly messages: Message[];
}

const READ_TIMEOUT_MS = 60_000;
/** Of one partition. */
const SENT_AGAIN_MAX = 400;
/** Of one request, below the 1 MiB that the audit topic takes of a partition at once. */
const REQUEST_BYTES_MAX = 524_288;
/** What a message takes besides its value, at most: key, headers with a signature, lengths. */
const MESSAGE_OVERHEAD_BYTES = 1_024;

/** The cluster's broker as its administrator sees it. */
export class ClusterKafka {
  private readonly kafka: kafkajs.Kafka;
  private readonly consumers: Consumer[] = [];

  constructor(cluster: StartedCluster) {
    this.kafka = new kafkajs.Kafka({
      clientId: 'story',
      brokers: [cluster.address('kafka', 9092)],
      sasl: {
        mechanism: 'scram-sha-512',
        username: 'admin',
        password: readFileSync(join(cluster.volume('secrets-kafka'), 'admin'), 'utf8'),
      },
      retry: { retries: 10, maxRetryTime: 500 },
      logLevel: kafkajs.logLevel.NOTHING,
    });
  }

  /** Notes, in milliseconds of `performance.now`, when the revocation of each token became readable. */
  async watchRevocations(): Promise<ReadonlyMap<string, number>> {
    const readableAtMs = new Map<string, number>();
    const consumer = await this.joined(tokenStateTopic.name, false);
    await consumer.run({
      eachMessage: async ({ message }) => {
        const atMs = performance.now();
        if (message.key?.toString().startsWith('~') !== false || message.value === null) return;
        const { id, status } = JSON.parse(message.value.toString()) as TokenState;
        if (status === 'revoked') readableAtMs.set(id, readableAtMs.get(id) ?? atMs);
      },
    });
    await this.isReading(consumer);
    return readableAtMs;
  }

  /** Every message on the audit topic up to now, in no order, resent ones as often as they were sent. */
  async auditMessages(): Promise<PublishedRecord[]> {
    const found: PublishedRecord[] = [];
    await this.readAll(auditRecordedTopic.name, (messages) => {
      for (const { value } of messages) found.push(JSON.parse(String(value)) as PublishedRecord);
    });
    return found;
  }

  /** Writes the newest records and checkpoints as they are once more, so many times. @returns how many there were */
  async sendAgain(times: number): Promise<number> {
    const copies = await this.copiesOf([auditRecordedTopic.name, auditCheckpointTopic.name]);
    for (let time = 0; time < times; time += 1) await this.write(copies);
    return copies.reduce((sum, { messages }) => sum + messages.length, 0);
  }

  /** The newest messages of topics as they stand there, signatures and all. */
  async copiesOf(topics: readonly string[]): Promise<TopicMessages[]> {
    const copies: TopicMessages[] = [];
    for (const topic of topics) {
      const newest = new Map<number, KafkaMessage[]>();
      await this.readAll(topic, (messages, partition) => {
        newest.set(partition, [...(newest.get(partition) ?? []), ...messages].slice(-SENT_AGAIN_MAX));
      });
      const messages = [...newest].flatMap(([partition, all]) =>
        all.map(({ key, value, headers }) => ({ key, value, headers: headers ?? {}, partition })),
      );
      copies.push({ topic, messages });
    }
    return copies;
  }

  /** Writes messages behind whatever has come since. */
  async write(copies: readonly TopicMessages[]): Promise<void> {
    const producer = this.kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    for (const { topic, messages } of copies) {
      for (const some of inRequests(messages)) await producer.send({ topic, messages: some });
    }
    await producer.disconnect();
  }

  async close(): Promise<void> {
    for (const consumer of this.consumers.splice(0)) await consumer.disconnect();
  }

  /** Hands over all that a topic holds now. */
  private async readAll(topic: string, take: (messages: KafkaMessage[], partition: number) => void): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const left = new Map(
      ends.filter(({ high }) => high !== '0').map(({ partition, high }) => [partition, BigInt(high)]),
    );
    const consumer = await this.joined(topic, true);
    await consumer.run({
      eachBatchAutoResolve: true,
      eachBatch: async ({ batch }) => {
        take(batch.messages, batch.partition);
        if (BigInt(batch.lastOffset()) + 1n >= (left.get(batch.partition) ?? 0n)) left.delete(batch.partition);
      },
    });
    await eventually(`the end of ${topic}`, async () => left.size === 0, READ_TIMEOUT_MS);
    await this.leave(consumer);
  }

  private async joined(topic: string, fromBeginning: boolean): Promise<Consumer> {
    const consumer = this.kafka.consumer({ groupId: `story-${topic}-${performance.now()}`, maxWaitTimeInMs: 100 });
    this.consumers.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning });
    return consumer;
  }

  private isReading(consumer: Consumer): Promise<unknown> {
    return new Promise((resolve) => consumer.on(consumer.events.FETCH, resolve));
  }

  private async leave(consumer: Consumer): Promise<void> {
    this.consumers.splice(this.consumers.indexOf(consumer), 1);
    await consumer.disconnect();
  }
}

/**
 * Cuts messages, in their order, where a request would pass what a broker takes: it measures all that one partition gets
 * at once, and the newest records of a partition may all be large ones.
 */
export function inRequests<T extends Pick<Message, 'value'>>(messages: readonly T[]): T[][] {
  const requests: T[][] = [];
  let left = 0;
  for (const message of messages) {
    const bytes = Buffer.byteLength(message.value ?? '') + MESSAGE_OVERHEAD_BYTES;
    if (bytes > left) {
      requests.push([]);
      left = REQUEST_BYTES_MAX;
    }
    requests.at(-1)!.push(message);
    left -= bytes;
  }
  return requests;
}
