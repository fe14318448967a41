import type { Topic } from '@warder/contracts';
import type { Admin, ITopicConfig, Kafka } from 'kafkajs';
import { pause, untilItSucceeds } from './back-off.js';
import type { BusLog } from './bus.js';

/** Milliseconds that `ensure` waits for a bus that is away before it lets the start go on. */
const START_PATIENCE_MS = 5_000;

/** Makes the topics before anyone subscribes: a consumer of a missing topic is refused for good. */
export class KafkaTopics {
  private readonly made = new Map<string, Promise<boolean>>();
  private readonly existing = new Set<string>();
  private readonly closing = new AbortController();

  constructor(
    private readonly kafka: Kafka,
    private readonly replicationFactor: number,
    private readonly log: BusLog,
  ) {}

  /** Resolves when the topics exist, or after 5 s of an absent bus; the making goes on in the background. */
  async ensure(topics: readonly Topic<unknown>[]): Promise<void> {
    const started = new AbortController();
    await Promise.race([
      this.make(topics),
      pause(START_PATIENCE_MS, AbortSignal.any([started.signal, this.closing.signal])),
    ]);
    started.abort();
  }

  /** Whether the topic exists by the deadline; makes it if nobody has asked for it yet. */
  async existWithin(topic: Topic<unknown>, deadlineMs: number): Promise<boolean> {
    if (this.existing.has(topic.name)) return true;
    const outwaited = new AbortController();
    const deadline = pause(deadlineMs, AbortSignal.any([outwaited.signal, this.closing.signal]));
    await Promise.race([this.make([topic]), deadline]);
    outwaited.abort();
    return this.existing.has(topic.name);
  }

  /** Runs the work on an admin client of its own. */
  async withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin({ retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 500 } });
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  close(): void {
    this.closing.abort();
  }

  private async make(topics: readonly Topic<unknown>[]): Promise<void> {
    const unasked = topics.filter(({ name }) => !this.made.has(name));
    if (unasked.length > 0) {
      const making = untilItSucceeds(
        () => this.withAdmin((admin) => this.makeMissing(admin, unasked)),
        this.closing.signal,
        (error) => this.log.warn({ err: error }, 'topics could not be made, again'),
      );
      for (const { name } of unasked) this.made.set(name, making);
    }
    for (const { name } of topics) await this.made.get(name);
  }

  private async makeMissing(admin: Admin, topics: readonly Topic<unknown>[]): Promise<void> {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ name }) => !existing.has(name));
    if (missing.length > 0) {
      // False means that another process made them at the same moment.
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => toTopicConfig(topic, this.replicationFactor)),
      });
      this.log.info({ topics: missing.map(({ name }) => name) }, 'topics were made');
    }
    for (const { name } of topics) this.existing.add(name);
  }
}

/** How the broker keeps a topic, derived from its contract alone. */
export function toTopicConfig(topic: Topic<unknown>, replicationFactor: number): ITopicConfig {
  const configEntries = [
    { name: 'cleanup.policy', value: topic.cleanup },
    { name: 'max.message.bytes', value: String(topic.messageBytesMax) },
  ];
  if (topic.retentionMs !== null) configEntries.push({ name: 'retention.ms', value: String(topic.retentionMs) });
  return { topic: topic.name, numPartitions: topic.partitions, replicationFactor, configEntries };
}
