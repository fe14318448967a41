import { randomUUID } from 'node:crypto';
import { isSignedTopic, nodeEnrolledTopic, type Topic } from '@warder/contracts';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { pause, untilItSucceeds } from './back-off.js';
import type { BatchBounds, BusClock, BusLog, MessageRefused, RawMessage, StuckBounds, Subscription } from './bus.js';
import { Handling } from './handling.js';
import { isOutage } from './kafka-crash.js';
import type { KafkaTopics } from './kafka-topics.js';
import { CERTIFICATE_HEADER, type MessageGuard, SIGNATURE_HEADER } from './message-guard.js';
import { messagePieces } from './message-pieces.js';
import { patientAssigner } from './patient-assigner.js';

/** What every reader of one bus shares. */
export interface ReaderContext {
  kafka: Kafka;
  topics: KafkaTopics;
  clock: BusClock;
  log: BusLog;
  /** Undefined on a bus that verifies nothing; `known` resolves when it may be asked. */
  guard: { messages: MessageGuard; known: Promise<void> } | undefined;
  /** Tells of a message that was not taken. */
  refuse(refused: MessageRefused, at: Pick<RawMessage, 'partition' | 'offset'>): void;
  /** What is done when a durable group's consumer crashes and no outage explains it. */
  onCrash(error: Error): void;
}

/** Which messages a reader gets: those of a durable group, or all of them on every node. */
export type ReaderKind =
  | {
      durable: true;
      groupId: string;
      bounds: BatchBounds;
      handler: (batch: readonly RawMessage[]) => Promise<void>;
    }
  | { durable: false; groupPrefix: string; from: 'beginning' | 'end'; handler: (raw: RawMessage) => void };

// A fetch that waits the default of 5 s blocks heartbeats, and with them every rebalance and stop, for that long.
const FETCH_WAIT_MS = 200;
// A group of one node is never rebalanced. Ten replicas that ask five times a second cost an idle node a twentieth of a
// core; what arrives is handed out at once either way.
const LONE_FETCH_WAIT_MS = 1_000;
const KEEP_ALIVE_EVERY_MS = 2_000;
const RETRY = { retries: 5, initialRetryTime: 100, maxRetryTime: 500 };
const START_PATIENCE_MS = 2_000;
/** Between a crash and the next consumer: one that joins and crashes at once must not do so without end. */
const CRASH_PAUSE_MS = 500;

/** One kafkajs consumer that comes back by itself, from an outage at start as from one at run time. */
export class KafkaReader implements Subscription {
  private readonly stopping = new AbortController();
  /** Next offset by partition, for a reader from the end: a rejoin would otherwise skip to the new end. */
  private readonly positions = new Map<number, string>();
  private consumer: Consumer | undefined;
  private starting: Promise<unknown> = Promise.resolve();
  private fetchedAtMs = -Infinity;
  private readonly startedAtMs: number;
  private readonly handling: Handling;

  constructor(
    private readonly context: ReaderContext,
    private readonly topic: Topic<unknown>,
    private readonly kind: ReaderKind,
  ) {
    this.startedAtMs = context.clock.monotonicMs();
    this.handling = new Handling(() => context.clock.monotonicMs());
  }

  /** Resolves when the reader runs, or after 2 s of an absent bus; it then goes on trying. */
  async start(): Promise<this> {
    this.starting = this.untilBuilt();
    await Promise.race([this.starting, pause(START_PATIENCE_MS, this.stopping.signal)]);
    return this;
  }

  /** Counts from the start of the reader, so that a liveness check gives an absent broker its time. */
  lastFetchAtMs(): number {
    return Math.max(this.fetchedAtMs, this.startedAtMs);
  }

  /** Monotonic milliseconds of the broker's last answer, `-Infinity` before the first. */
  lastAnswerAtMs(): number {
    return this.fetchedAtMs;
  }

  /**
   * Why this group gets nothing done though the broker answers.
   * @param connectedAtMs - monotonic milliseconds since which it does
   */
  stuck({ handlerMaxMs, fetchSilentMaxMs }: StuckBounds, connectedAtMs: number): string | undefined {
    if (!this.kind.durable) return undefined;
    const who = `group ${this.kind.groupId} of ${this.topic.name}`;
    if (this.handling.runningMs() > handlerMaxMs) return `${who} has been at one batch for over ${handlerMaxMs} ms`;
    const lastAtMs = Math.max(this.lastFetchAtMs(), this.handling.lastAtMs(), connectedAtMs);
    if (this.context.clock.monotonicMs() - lastAtMs <= fetchSilentMaxMs) return undefined;
    return `${who} has fetched nothing for over ${fetchSilentMaxMs} ms while the broker answers`;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.starting;
    await this.consumer?.disconnect().catch((error: unknown) => this.warn(error, 'a consumer did not disconnect'));
    this.consumer = undefined;
  }

  private untilBuilt(): Promise<unknown> {
    return untilItSucceeds(
      () => this.build(),
      this.stopping.signal,
      (error) => this.context.log.warn({ err: error, topic: this.topic.name }, 'a reader could not start, again'),
    );
  }

  private async build(): Promise<void> {
    const { kafka, topics } = this.context;
    await topics.ensure([this.topic]);
    const fromBeginning = this.kind.durable || this.kind.from === 'beginning';
    if (!fromBeginning && this.positions.size === 0) await this.rememberEnd();
    // kafkajs would restart in the same group, as a new member that waits for its own dead self; a new group does not.
    let isRetriable = false;
    const restartOnFailure = async (): Promise<boolean> => {
      isRetriable = true;
      return false;
    };
    const consumer = kafka.consumer({
      // A group of its own for each node and start reads everything and leaves no offsets behind.
      groupId: this.kind.durable ? this.kind.groupId : this.kind.groupPrefix + randomUUID(),
      maxWaitTimeInMs: this.kind.durable ? FETCH_WAIT_MS : LONE_FETCH_WAIT_MS,
      partitionAssigners: [patientAssigner],
      // The shortest that a broker takes: a member that crashed holds up its group for this long.
      sessionTimeout: 6_000,
      heartbeatInterval: KEEP_ALIVE_EVERY_MS,
      retry: this.kind.durable ? RETRY : { ...RETRY, restartOnFailure },
    });
    this.consumer = consumer;
    try {
      this.observe(consumer, () => isRetriable);
      await consumer.connect();
      await consumer.subscribe({ topics: [this.topic.name], fromBeginning });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.kind.durable ? this.kind.bounds.partitionsAtOnce : 1,
        eachBatch: async (payload) => {
          await this.untilKnown();
          return this.kind.durable ? this.takeDurable(consumer, payload) : this.takeAll(payload);
        },
      });
    } catch (error) {
      await consumer.disconnect().catch(() => {});
      throw error;
    }
  }

  private observe(consumer: Consumer, isRetriable: () => boolean): void {
    consumer.on(consumer.events.FETCH, () => {
      this.fetchedAtMs = this.context.clock.monotonicMs();
    });
    consumer.on(consumer.events.GROUP_JOIN, () => {
      for (const [partition, offset] of this.positions) consumer.seek({ topic: this.topic.name, partition, offset });
    });
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (restart || this.stopping.signal.aborted) return;
      // What kafkajs calls hopeless is often a broker on its way out (no coordinator found), which is no reason to end
      // the process. Nor is anything for a watcher: a node must go on with what it knows.
      if (this.kind.durable && !isOutage(error))
        return this.context.onCrash(new Error(`the consumer of ${this.topic.name} crashed`, { cause: error }));
      if (!isRetriable())
        this.context.log.error({ err: error, topic: this.topic.name }, 'a consumer crashed, a new one is built');
      const delayMs = isRetriable() ? 0 : CRASH_PAUSE_MS;
      this.starting = pause(delayMs, this.stopping.signal).then(() => this.untilBuilt());
    });
  }

  private async rememberEnd(): Promise<void> {
    const ends = await this.context.topics.withAdmin((admin) => admin.fetchTopicOffsets(this.topic.name));
    for (const { partition, high } of ends) this.positions.set(partition, high);
  }

  private async takeAll(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    if (this.kind.durable) return;
    for (const message of batch.messages) {
      const raw = this.toRaw(batch.partition, message);
      try {
        if (raw !== undefined) this.kind.handler(raw);
      } catch (error) {
        // The same bytes would fail again; stopping here would keep every later state from this node.
        this.context.log.error({ err: error, topic: this.topic.name, offset: message.offset }, 'a watcher failed');
      }
      payload.resolveOffset(message.offset);
      if (this.kind.from === 'end') this.positions.set(batch.partition, nextOffset(message.offset));
    }
    await payload.heartbeat();
  }

  private async takeDurable(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    if (!this.kind.durable) return;
    const { batch } = payload;
    const { bounds, handler } = this.kind;
    for (const messages of messagePieces(batch.messages, bounds.messagesMax)) {
      if (!payload.isRunning() || payload.isStale() || this.stopping.signal.aborted) return;
      const raws = messages.flatMap((message) => this.toRaw(batch.partition, message) ?? []);
      if (raws.length > 0 && !(await this.handle(() => handler(raws), payload))) return;
      const last = messages.at(-1)!.offset;
      payload.resolveOffset(last);
      await consumer.commitOffsets([{ topic: batch.topic, partition: batch.partition, offset: nextOffset(last) }]);
      await payload.heartbeat();
    }
  }

  /** Tries the handler until it succeeds, keeping the membership alive; false when stopped or taken over meanwhile. */
  private async handle(work: () => Promise<void>, payload: EachBatchPayload): Promise<boolean> {
    const lost = new AbortController();
    const keepAlive = setInterval(() => {
      if (!payload.isRunning()) lost.abort();
      // A rebalance: another member may get the partition, so a failing handler must not be tried here any longer.
      payload.heartbeat().catch(() => lost.abort());
    }, KEEP_ALIVE_EVERY_MS);
    try {
      return await untilItSucceeds(
        () => this.handling.run(work),
        AbortSignal.any([lost.signal, this.stopping.signal]),
        (error) => this.warn(error, 'a handler failed, again'),
      );
    } finally {
      clearInterval(keepAlive);
    }
  }

  /** A key that was revoked would pass before the revocation is read; who is enrolled says the one topic that needs none. */
  private async untilKnown(): Promise<void> {
    if (this.topic.name !== nodeEnrolledTopic.name && isSignedTopic(this.topic)) await this.context.guard?.known;
  }

  private toRaw(partition: number, message: KafkaMessage): RawMessage | undefined {
    const key = message.key === null ? null : message.key.toString('utf8');
    const value = message.value ?? Buffer.alloc(0);
    const signature = headerOf(message, SIGNATURE_HEADER);
    const certificate = headerOf(message, CERTIFICATE_HEADER)?.toString('latin1');
    const refusal = this.context.guard?.messages.refusalOf(this.topic, { key, value, signature, certificate });
    if (refusal !== undefined) {
      this.context.refuse({ topic: this.topic.name, ...refusal }, { partition, offset: message.offset });
      return undefined;
    }
    return { key, value, partition, offset: message.offset, timestampMs: Number(message.timestamp) };
  }

  private warn(error: unknown, message: string): void {
    this.context.log.warn({ err: error, topic: this.topic.name }, message);
  }
}

function headerOf({ headers }: KafkaMessage, name: string): Buffer | undefined {
  const header = headers?.[name];
  return Buffer.isBuffer(header) ? header : undefined;
}

function nextOffset(offset: string): string {
  return String(BigInt(offset) + 1n);
}
