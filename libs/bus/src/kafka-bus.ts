import type { ConnectionOptions } from 'node:tls';
import type { Topic } from '@warder/contracts';
import { groupPrefixOf } from './acls.js';
import { pause } from './back-off.js';
import {
  BATCH_BOUNDS,
  type BatchBounds,
  type Bus,
  type BusClock,
  BusError,
  type BusLog,
  type BusMessage,
  type GroupLag,
  type MessageRefused,
  type RawEntry,
  type RawMessage,
  type Replica,
  STUCK_BOUNDS,
  type StuckBounds,
  type Subscription,
} from './bus.js';
import { createKafkaClient } from './kafka-client.js';
import { endProcess } from './kafka-crash.js';
import { KafkaGroups } from './kafka-groups.js';
import { KafkaProducer, PRODUCER_BOUNDS, type ProducerBounds } from './kafka-producer.js';
import { KafkaReader, type ReaderContext, type ReaderKind } from './kafka-reader.js';
import { KafkaTopics } from './kafka-topics.js';
import { encodeMessage, toBusMessage } from './message-codec.js';
import { MessageGuard, type Signing } from './message-guard.js';
import { MessageSigner } from './message-signer.js';
import { RefusedMessages } from './refused-messages.js';
import { StateProtocol } from './state-protocol.js';
import type { StateTransport } from './state-transport.js';

/** What a Kafka bus is made of. */
export interface KafkaBusOptions {
  /** Unique name of this process, such as `ingress-1`. */
  node: string;
  service: string;
  brokers: string[];
  /** SCRAM-SHA-512 credentials. */
  sasl?: { username: string; password: string };
  tls?: boolean | ConnectionOptions;
  log: BusLog;
  clock: BusClock;
  signing?: Signing;
  bounds?: Partial<ProducerBounds>;
  /** Copies of each topic that `ensureTopics` makes; default 1. */
  replicationFactor?: number;
  stuckBounds?: StuckBounds;
  /** Told when a durable group's consumer crashed for a reason that no outage explains; default: the process ends. */
  onCrash?: (error: Error) => void;
}

const PING_EVERY_MS = 2_000;
const DISCONNECTED_AFTER_MS = 6_000;
const ONE_BY_ONE: BatchBounds = { messagesMax: 1, partitionsAtOnce: 1 };
/** How long each part of a close may take: what waits for a last acknowledgement, and what waits for a silent broker. */
const CLOSE_GRACE_MS = 3_000;

/** The bus of a cluster. It starts without a broker, and finds it within 5 s of its coming. */
export function createKafkaBus(options: KafkaBusOptions): Bus {
  return new KafkaBus(options);
}

class KafkaBus implements Bus, StateTransport {
  readonly node: string;
  readonly service: string;
  readonly log: BusLog;
  readonly clock: BusClock;
  private readonly topics: KafkaTopics;
  private readonly positions: KafkaGroups;
  private readonly producer: KafkaProducer;
  private readonly readerContext: ReaderContext;
  private readonly readers = new Map<KafkaReader, { topic: Topic<unknown>; group: string | undefined }>();
  private readonly state: StateProtocol;
  private readonly refusals: RefusedMessages;
  private readonly ping: NodeJS.Timeout;
  private pingedAtMs = -Infinity;
  private disconnectedAtMs = -Infinity;
  private rawBatches = 0;
  private isPinging = false;
  private isClosed = false;
  private readonly closing = new AbortController();
  private readonly signer: MessageSigner;

  constructor(private readonly options: KafkaBusOptions) {
    const { node, service, log, clock, signing } = options;
    const kafka = createKafkaClient(options);
    this.node = node;
    this.service = service;
    this.log = log;
    this.clock = clock;
    this.topics = new KafkaTopics(kafka, options.replicationFactor ?? 1, log);
    this.positions = new KafkaGroups(this.topics, clock);
    this.producer = new KafkaProducer(kafka, clock, log, { ...PRODUCER_BOUNDS, ...options.bounds });
    this.refusals = new RefusedMessages(log, () => clock.monotonicMs());
    this.readerContext = {
      kafka,
      topics: this.topics,
      clock,
      log,
      guard: signing && { messages: new MessageGuard(signing, () => clock.wallMs()), known: signing.known },
      refuse: (refused, at) => this.refuse(refused, at),
      onCrash: options.onCrash ?? endProcess,
    };
    const deadlineMs = options.bounds?.deadlineMs ?? PRODUCER_BOUNDS.deadlineMs;
    this.signer = new MessageSigner(signing, deadlineMs, this.closing.signal);
    this.state = new StateProtocol(this);
    this.ping = setInterval(() => {
      if (!this.isConnected()) this.disconnectedAtMs = clock.monotonicMs();
      void this.pingWhenSilent();
    }, PING_EVERY_MS);
    this.ping.unref();
    void this.pingWhenSilent();
  }

  ensureTopics(topics: readonly Topic<unknown>[]): Promise<void> {
    return this.topics.ensure(topics);
  }

  async publish<M>(topic: Topic<M>, key: string, message: M): Promise<void> {
    await this.send(topic, [{ key, value: encodeMessage(topic, message) }]);
  }

  publishRaw(topic: Topic<unknown>, entries: readonly RawEntry[]): Promise<void> {
    // A batch that is strewn over all partitions is one request with a record batch and a compressor for each of them.
    const partition = topic.cleanup === 'delete' ? this.rawBatches++ % topic.partitions : undefined;
    return this.send(topic, partition === undefined ? entries : entries.map((entry) => ({ ...entry, partition })));
  }

  async send(topic: Topic<unknown>, entries: readonly (RawEntry & { partition?: number })[]): Promise<void> {
    if (this.isClosed) throw new BusError('closed', 'the bus was closed');
    const deadlineMs = this.options.bounds?.deadlineMs ?? PRODUCER_BOUNDS.deadlineMs;
    // Messages for a missing topic would be retried for ever and hold up those of every other topic.
    if (!(await this.topics.existWithin(topic, deadlineMs))) {
      throw new BusError('deadline', `${topic.name}: the topic could not be made in ${deadlineMs} ms`);
    }
    const headersOf = await this.signer.of(topic);
    const messages = entries.map(({ key, value, partition }) => {
      const headers = headersOf?.(key, value);
      return { key, value, ...(partition !== undefined && { partition }), ...(headers && { headers }) };
    });
    await this.producer.send(topic.name, messages);
  }

  subscribe<M>(
    topic: Topic<M>,
    group: string,
    handler: (message: BusMessage<M>) => Promise<void>,
  ): Promise<Subscription> {
    const takeOne = async ([raw]: readonly RawMessage[]): Promise<void> => {
      const message = toBusMessage(topic, raw!, this.log);
      if (message !== undefined) await handler(message);
    };
    const groupId = this.groupIdOf(topic, group);
    return this.read(topic, { durable: true, groupId, handler: takeOne, bounds: ONE_BY_ONE }, group);
  }

  batch(
    topic: Topic<unknown>,
    group: string,
    handler: (batch: readonly RawMessage[]) => Promise<void>,
    bounds: Partial<BatchBounds> = {},
  ): Promise<Subscription> {
    const groupId = this.groupIdOf(topic, group);
    return this.read(topic, { durable: true, groupId, handler, bounds: { ...BATCH_BOUNDS, ...bounds } }, group);
  }

  rewind(topic: Topic<unknown>, group: string, to: number | 'beginning'): Promise<void> {
    return this.positions.rewind(topic, this.groupIdOf(topic, group), to);
  }

  lag(topic: Topic<unknown>, group: string): Promise<GroupLag> {
    return this.positions.lag(topic, this.groupIdOf(topic, group));
  }

  watch<M>(
    topic: Topic<M>,
    from: 'beginning' | 'end',
    handler: (message: BusMessage<M>) => void,
  ): Promise<Subscription> {
    return this.watchRaw(topic, from, (raw) => {
      const message = toBusMessage(topic, raw, this.log);
      if (message !== undefined) handler(message);
    });
  }

  watchRaw(
    topic: Topic<unknown>,
    from: 'beginning' | 'end',
    handler: (raw: RawMessage) => void,
  ): Promise<Subscription> {
    const groupPrefix = `${groupPrefixOf(this.service)}~${this.node}.`;
    return this.read(topic, { durable: false, groupPrefix, from, handler });
  }

  replica<M extends { version: number }>(topic: Topic<M>, apply: (key: string, value: M) => void): Promise<Replica> {
    return this.state.replica(topic, apply);
  }

  own(topic: Topic<unknown>): Promise<void> {
    return this.state.own(topic);
  }

  applied(topic: Topic<unknown>, version: number): void {
    this.state.applied(topic, version);
  }

  everyNodeApplied(topic: Topic<unknown>, service: string, version: number, timeoutMs: number): Promise<boolean> {
    return this.state.everyNodeApplied(topic, service, version, timeoutMs);
  }

  everyNodeRead(topic: Topic<unknown>, service: string, timeoutMs: number): Promise<boolean> {
    return this.state.everyNodeRead(topic, service, timeoutMs);
  }

  onRefused(tell: (refused: MessageRefused) => void): void {
    this.refusals.listen(tell);
  }

  refuse(refused: MessageRefused, at: Pick<RawMessage, 'partition' | 'offset'>): void {
    this.refusals.tell(refused, at);
  }

  isConnected(): boolean {
    return !this.isClosed && this.silentMs() < DISCONNECTED_AFTER_MS;
  }

  groups(): readonly { topic: Topic<unknown>; group: string }[] {
    return [...this.readers.values()].flatMap(({ topic, group }) => (group === undefined ? [] : { topic, group }));
  }

  stuck(): string | undefined {
    // Who is away is not told from who is stuck.
    if (!this.isConnected()) return undefined;
    const bounds = this.options.stuckBounds ?? STUCK_BOUNDS;
    for (const reader of this.readers.keys()) {
      const why = reader.stuck(bounds, this.disconnectedAtMs);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    await withinGrace(this.state.close());
    this.isClosed = true;
    this.closing.abort();
    clearInterval(this.ping);
    this.topics.close();
    await withinGrace(this.producer.close(CLOSE_GRACE_MS));
    await withinGrace(Promise.all([...this.readers.keys()].map((reader) => reader.stop())));
  }

  private async read(topic: Topic<unknown>, kind: ReaderKind, group?: string): Promise<Subscription> {
    const reader = new KafkaReader(this.readerContext, topic, kind);
    this.readers.set(reader, { topic, group });
    await reader.start();
    return {
      lastFetchAtMs: () => reader.lastFetchAtMs(),
      stop: async () => {
        this.readers.delete(reader);
        await reader.stop();
      },
    };
  }

  /** A group here is of one topic, as in process: members of a Kafka group are given each other's topics. */
  private groupIdOf(topic: Topic<unknown>, group: string): string {
    return `${groupPrefixOf(this.service)}${group}.${topic.name}`;
  }

  private silentMs(): number {
    const fetches = [...this.readers.keys()].map((reader) => reader.lastAnswerAtMs());
    return this.clock.monotonicMs() - Math.max(this.pingedAtMs, this.producer.lastAckAtMs(), ...fetches);
  }

  private async pingWhenSilent(): Promise<void> {
    if (this.isPinging || this.silentMs() < PING_EVERY_MS) return;
    this.isPinging = true;
    try {
      await this.topics.withAdmin((admin) => admin.describeCluster());
      this.pingedAtMs = this.clock.monotonicMs();
    } catch (error) {
      this.log.debug({ error }, 'the bus does not answer');
    } finally {
      this.isPinging = false;
    }
  }
}

/** A request to a broker that is silent fails after 10 s, and is tried again: a stop does not wait for that. */
async function withinGrace(work: Promise<unknown>): Promise<void> {
  const isOver = new AbortController();
  await Promise.race([work, pause(CLOSE_GRACE_MS, isOver.signal)]);
  isOver.abort();
}
