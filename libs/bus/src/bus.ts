import type { Topic } from '@warder/contracts';
import type { MessageRefusal } from './message-guard.js';

/** A message that its topic's schema accepted. `timestampMs` is the wall time of the publisher or broker. */
export interface BusMessage<M> {
  key: string;
  value: M;
  timestampMs: number;
}

/** A message as the bytes that came. */
export interface RawMessage {
  key: string | null;
  value: Buffer;
  partition: number;
  offset: string;
  timestampMs: number;
}

/** Bytes to publish; `value` is already valid JSON. */
export interface RawEntry {
  key: string;
  value: Buffer;
}

/** A message that was not taken for its writer's, or is older than what is known. */
export interface MessageRefused {
  /** Name of the topic. */
  readonly topic: string;
  readonly reason: MessageRefusal;
  /** The node whose certificate came with it, where there was one that the registrar signed. */
  readonly writer?: string;
}

/** How far a durable group is behind. */
export interface GroupLag {
  /** Messages that the group has not committed. */
  records: number;
  /** Milliseconds since the oldest of them was published, 0 where there is none; on Kafka true to an eighth or 1 s. */
  ms: number;
}

/** How much of a durable group's topic its handler has at once. */
export interface BatchBounds {
  /** Messages of a batch, 500 unless given; in one process never more. */
  messagesMax: number;
  /** Batches that are handled at once, each of another partition; 1 unless given, and in one process always. */
  partitionsAtOnce: number;
}

export const BATCH_BOUNDS: BatchBounds = { messagesMax: 500, partitionsAtOnce: 1 };

export interface Subscription {
  stop(): Promise<void>;
  /** Monotonic milliseconds of the last answer of the bus, for liveness checks; `Infinity` in-process. */
  lastFetchAtMs(): number;
}

/** An in-memory copy of a compacted topic. */
export interface Replica {
  /** Resolves once the owner's marker was read: everything published before the node asked has been applied. */
  readonly ready: Promise<void>;
  isReady(): boolean;
  /**
   * Milliseconds since the owner was last heard; `Infinity` before the first heartbeat.
   * @param nowMs - wall milliseconds, for the owner's heartbeat carries wall time and outlives a restart of the node
   */
  staleMs(nowMs: number): number;
  /** Keys whose newest value this build cannot read: the replica keeps the last one that it can. */
  unreadableKeys(): readonly string[];
  stop(): Promise<void>;
}

/** State and events between services; Kafka in a cluster, memory in standalone. */
export interface Bus {
  readonly node: string;
  /** Makes what is missing. Never rejects because the bus is away: it goes on trying in the background. */
  ensureTopics(topics: readonly Topic<unknown>[]): Promise<void>;
  /** Resolves when acknowledged; rejects at the deadline (10 s), when the buffer is full, or on a bad message. */
  publish<M>(topic: Topic<M>, key: string, message: M): Promise<void>;
  /** One batch, acknowledged as one. Of events it goes to one partition, whatever their keys: they come in no order. */
  publishRaw(topic: Topic<unknown>, entries: readonly RawEntry[]): Promise<void>;
  /** Durable group, at least once, in order of the partition; a failing message is tried again with back-off. */
  subscribe<M>(
    topic: Topic<M>,
    group: string,
    handler: (message: BusMessage<M>) => Promise<void>,
  ): Promise<Subscription>;
  /**
   * Durable group, at least once; one partition per batch, committed after the handler. A batch passes 8 MiB only with
   * one message.
   */
  batch(
    topic: Topic<unknown>,
    group: string,
    handler: (batch: readonly RawMessage[]) => Promise<void>,
    bounds?: Partial<BatchBounds>,
  ): Promise<Subscription>;
  /**
   * Has a group begin again at the first message that was published at or after the time, on every partition.
   * @param to - wall milliseconds, or the beginning of what is kept
   * @throws BusError `refused` while the group has a handler on any node, `deadline` when the bus does not answer
   */
  rewind(topic: Topic<unknown>, group: string, to: number | 'beginning'): Promise<void>;
  /**
   * How far a group is behind; one that never committed is behind by everything that is kept.
   * @throws BusError `deadline` when the bus does not answer
   */
  lag(topic: Topic<unknown>, group: string): Promise<GroupLag>;
  /** Every node reads everything, at least once; from the beginning a message may come again after a rejoin. */
  watch<M>(
    topic: Topic<M>,
    from: 'beginning' | 'end',
    handler: (message: BusMessage<M>) => void,
  ): Promise<Subscription>;
  /** Applies each key's versions in growing order, never an older one after a newer one. */
  replica<M extends { version: number }>(topic: Topic<M>, apply: (key: string, value: M) => void): Promise<Replica>;
  /** Owner's side: heartbeats every 5 s and answers the markers that nodes ask for. Call it after the republish. */
  own(topic: Topic<unknown>): Promise<void>;
  /** Tells the others that this node now runs on `version` of the topic. */
  applied(topic: Topic<unknown>, version: number): void;
  /** Whether every live node of the service runs on `version` or a later one; false at the time-out. */
  everyNodeApplied(topic: Topic<unknown>, service: string, version: number, timeoutMs: number): Promise<boolean>;
  /**
   * Owner's side: whether every live node of the service has applied all that was sent before this call; false at the
   * time-out.
   * @throws BusError where this node does not own the topic or the bus does not take the mark
   */
  everyNodeRead(topic: Topic<unknown>, service: string, timeoutMs: number): Promise<boolean>;
  /** Tells of every message that is refused, and of those that were while nobody listened; `tell` must not throw. */
  onRefused(tell: (refused: MessageRefused) => void): void;
  isConnected(): boolean;
  /** The durable groups that have a handler in this process. */
  groups(): readonly { topic: Topic<unknown>; group: string }[];
  /**
   * Why a durable group of this process gets nothing done though the bus answers: its handler has been at one batch
   * for too long, or its consumer fetches no more. A new process helps; an outage of the bus or of a store is neither.
   */
  stuck(): string | undefined;
  close(): Promise<void>;
}

/** Bounds of a bus that a process configures. */
export interface StuckBounds {
  /** Milliseconds that a handler may be at one batch. */
  handlerMaxMs: number;
  /** Milliseconds that a durable group may fetch nothing, not even an empty answer, while the broker answers others. */
  fetchSilentMaxMs: number;
}

export const STUCK_BOUNDS: StuckBounds = { handlerMaxMs: 600_000, fetchSilentMaxMs: 60_000 };

/** The two clocks of a host: wall time for what leaves the process, monotonic time for what is measured in it. */
export interface BusClock {
  wallMs(): number;
  monotonicMs(): number;
}

/** The part of a pino logger that the bus uses. */
export interface BusLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The bus would not, or could not in time, take a message; the caller still has it and tries again. */
export class BusError extends Error {
  constructor(
    readonly reason: 'deadline' | 'buffer-full' | 'closed' | 'refused',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'BusError';
  }
}
