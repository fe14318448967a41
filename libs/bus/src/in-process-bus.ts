import { auditCheckpointTopic, auditRecordedTopic, type Topic } from '@warder/contracts';
import {
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
  type Subscription,
} from './bus.js';
import { type EventBounds, EventTopic, isKeptForReaders } from './event-topic.js';
import { type BatchHandler, InProcessTopic, type TopicOfProcess } from './in-process-topic.js';
import { encodeMessage, toBusMessage } from './message-codec.js';
import { RefusedMessages } from './refused-messages.js';
import { StateProtocol } from './state-protocol.js';
import { STANDALONE_SERVICE, type StateTransport } from './state-transport.js';

/** What an in-process bus is made of. */
export interface InProcessBusOptions {
  node: string;
  log: BusLog;
  clock: BusClock;
  /**
   * Names of topics whose publication waits for the first durable group, so that no module's start-up order
   * acknowledges a message that nobody stored. Default: the audit records and their checkpoints.
   */
  durableTopics?: readonly string[];
  /** Where events that wait for their readers are kept on the disk. Absent: in memory, until every group has them. */
  events?: EventBounds;
  /** Milliseconds that a handler may be at one batch before it counts as stuck. */
  handlerMaxMs?: number;
}

/**
 * The bus of one process. It keeps the newest state of each key in memory, for owners publish again from their database
 * at start. Events that are kept for readers go to the disk if it has a directory (ADR 14), and are acknowledged when
 * they are there; else they are acknowledged when every durable group has committed them.
 */
export function createInProcessBus(options: InProcessBusOptions): Bus {
  return new InProcessBus(options);
}

class InProcessBus implements Bus, StateTransport {
  readonly node: string;
  readonly service = STANDALONE_SERVICE;
  readonly log: BusLog;
  readonly clock: BusClock;
  private readonly durableTopics: ReadonlySet<string>;
  private readonly topics = new Map<string, { topic: Topic<unknown>; held: TopicOfProcess }>();
  private readonly state: StateProtocol;
  private readonly refusals: RefusedMessages;
  private readonly closing = new AbortController();
  private readonly closed: Promise<never>;

  constructor(private readonly options: InProcessBusOptions) {
    this.node = options.node;
    this.log = options.log;
    this.clock = options.clock;
    this.durableTopics = new Set(options.durableTopics ?? [auditRecordedTopic.name, auditCheckpointTopic.name]);
    this.refusals = new RefusedMessages(this.log, () => this.clock.monotonicMs());
    this.state = new StateProtocol(this);
    this.closed = new Promise((_, reject) => {
      this.closing.signal.addEventListener('abort', () => reject(new BusError('closed', 'the bus was closed')));
    });
    this.closed.catch(() => {});
  }

  async ensureTopics(topics: readonly Topic<unknown>[]): Promise<void> {
    for (const topic of topics) this.topic(topic);
  }

  async publish<M>(topic: Topic<M>, key: string, message: M): Promise<void> {
    await this.send(topic, [{ key, value: encodeMessage(topic, message) }]);
  }

  publishRaw(topic: Topic<unknown>, entries: readonly RawEntry[]): Promise<void> {
    return this.send(topic, entries);
  }

  async send(topic: Topic<unknown>, entries: readonly (RawEntry & { partition?: number })[]): Promise<void> {
    if (this.closing.signal.aborted) throw new BusError('closed', 'the bus was closed');
    // The owner speaks once to each partition, and here is only one.
    const once = entries.filter(({ partition }) => (partition ?? 0) === 0);
    await Promise.race([this.topic(topic).publish(once, this.clock.wallMs()), this.closed]);
  }

  async subscribe<M>(
    topic: Topic<M>,
    group: string,
    handler: (message: BusMessage<M>) => Promise<void>,
  ): Promise<Subscription> {
    // One at a time, so that a failing message does not bring its committed neighbours again.
    const takeOne = async ([raw]: readonly RawMessage[]): Promise<void> => {
      const message = toBusMessage(topic, raw!, this.log);
      if (message !== undefined) await handler(message);
    };
    return this.startGroup(topic, group, takeOne, 1);
  }

  async batch(topic: Topic<unknown>, groupName: string, handler: BatchHandler): Promise<Subscription> {
    return this.startGroup(topic, groupName, handler);
  }

  async rewind(topic: Topic<unknown>, group: string, to: number | 'beginning'): Promise<void> {
    await this.topic(topic).rewind(group, to);
  }

  async lag(topic: Topic<unknown>, group: string): Promise<GroupLag> {
    return this.topic(topic).lag(group);
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

  async watchRaw(
    topic: Topic<unknown>,
    from: 'beginning' | 'end',
    handler: (raw: RawMessage) => void,
  ): Promise<Subscription> {
    const watcher = (raw: RawMessage): void => {
      try {
        handler(raw);
      } catch (error) {
        // One watcher's bug must not keep the message from the others, nor fail the publisher.
        this.log.error({ err: error, topic: topic.name, offset: raw.offset }, 'a watcher failed');
      }
    };
    const unwatch = await this.topic(topic).watch(from, watcher);
    return { stop: async () => unwatch(), lastFetchAtMs: () => Infinity };
  }

  replica<M extends { version: number }>(topic: Topic<M>, apply: (key: string, value: M) => void): Promise<Replica> {
    return this.state.replica({ ...topic, partitions: 1 }, apply);
  }

  own(topic: Topic<unknown>): Promise<void> {
    return this.state.own({ ...topic, partitions: 1 });
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

  groups(): readonly { topic: Topic<unknown>; group: string }[] {
    return [...this.topics.values()].flatMap(({ topic, held }) =>
      held.handled().map(({ group }) => ({ topic, group })),
    );
  }

  stuck(): string | undefined {
    const boundMs = this.options.handlerMaxMs ?? STUCK_BOUNDS.handlerMaxMs;
    for (const { topic, held } of this.topics.values()) {
      const late = held.handled().find(({ handlingMs }) => handlingMs > boundMs);
      if (late !== undefined)
        return `group ${late.group} of ${topic.name} has been at one batch for over ${boundMs} ms`;
    }
    return undefined;
  }

  isConnected(): boolean {
    return !this.closing.signal.aborted;
  }

  async close(): Promise<void> {
    if (this.closing.signal.aborted) return;
    await this.state.close();
    this.closing.abort();
    await Promise.all([...this.topics.values()].map(({ held }) => held.close()));
  }

  private async startGroup(
    topic: Topic<unknown>,
    group: string,
    handler: BatchHandler,
    batchMessagesMax?: number,
  ): Promise<Subscription> {
    const stop = await this.topic(topic).start(group, handler, batchMessagesMax);
    return { stop, lastFetchAtMs: () => Infinity };
  }

  private topic(topic: Topic<unknown>): TopicOfProcess {
    const known = this.topics.get(topic.name);
    if (known !== undefined) return known.held;
    const { clock, log } = this;
    const { events: bounds } = this.options;
    const mustBeRead = this.durableTopics.has(topic.name);
    const held =
      bounds !== undefined && isKeptForReaders(topic)
        ? new EventTopic(topic, { bounds, mustBeRead, clock, log })
        : new InProcessTopic(topic.cleanup === 'compact', mustBeRead, clock, log);
    this.topics.set(topic.name, { topic, held });
    return held;
  }
}
