import { CompressionTypes, type Kafka, type Message, type Producer } from 'kafkajs';
import { pause } from './back-off.js';
import { type BusClock, BusError, type BusLog } from './bus.js';

/** Bounds of what waits for the broker. */
export interface ProducerBounds {
  /** Milliseconds until a publication that was not acknowledged is rejected; its outcome is then unknown. */
  deadlineMs: number;
  bufferedBytesMax: number;
  /** Uncompressed bytes of one batch, below the smallest `max.message.bytes`: the broker measures the whole batch. */
  batchBytesMax: number;
}

export const PRODUCER_BOUNDS: ProducerBounds = {
  deadlineMs: 10_000,
  bufferedBytesMax: 67_108_864,
  batchBytesMax: 524_288,
};

interface Waiting {
  topicName: string;
  messages: Message[];
  bytes: number;
  isSettled: boolean;
  settle: (error?: Error) => void;
}

const RECONNECT_AFTER_MS = 250;
/**
 * Answers about the producer and not about its messages: its sequence does not go on from the broker's (45), is known
 * already (46), its epoch or it is not known (47, 59). A new producer begins a sequence of its own.
 */
const SEQUENCE_REFUSALS = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'UNKNOWN_PRODUCER_ID',
]);

/**
 * Publishes with one batch outstanding. An idempotent kafkajs producer with two sends outstanding loses acknowledged
 * messages when one answer is dropped (it hands the same sequence number out twice), and `maxInFlightRequests` does
 * not help; so throughput comes from the size of batches. After any rejection the producer is replaced, because its
 * sequence numbers then may or may not match the broker's: what was written is written again, never lost.
 */
export class KafkaProducer {
  private readonly queue: Waiting[] = [];
  private readonly closing = new AbortController();
  private producer: Producer | undefined;
  private bufferedBytes = 0;
  private running: Promise<void> | undefined;
  private ackedAtMs = -Infinity;

  constructor(
    private readonly kafka: Kafka,
    private readonly clock: BusClock,
    private readonly log: BusLog,
    private readonly bounds: ProducerBounds = PRODUCER_BOUNDS,
  ) {}

  /** Monotonic milliseconds of the last acknowledgement. */
  lastAckAtMs(): number {
    return this.ackedAtMs;
  }

  /**
   * Resolves when every in-sync replica has the messages.
   * @throws BusError `deadline`, `buffer-full`, `closed`, or `refused` by the broker
   */
  send(topicName: string, messages: Message[]): Promise<void> {
    if (this.closing.signal.aborted) return Promise.reject(new BusError('closed', 'the bus was closed'));
    const bytes = messages.reduce((sum, message) => sum + bytesOf(message), 0);
    if (this.bufferedBytes + bytes > this.bounds.bufferedBytesMax) {
      return Promise.reject(new BusError('buffer-full', `over ${this.bounds.bufferedBytesMax} bytes wait for the bus`));
    }
    this.bufferedBytes += bytes;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.settle(new BusError('deadline', `${topicName}: no acknowledgement in ${this.bounds.deadlineMs} ms`));
      }, this.bounds.deadlineMs);
      const waiting: Waiting = {
        topicName,
        messages,
        bytes,
        isSettled: false,
        settle: (error) => {
          if (waiting.isSettled) return;
          waiting.isSettled = true;
          clearTimeout(timer);
          this.bufferedBytes -= bytes;
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.queue.push(waiting);
      this.wake();
    });
  }

  /** Gives what waits up to `graceMs` to be acknowledged, then rejects it. */
  async close(graceMs: number): Promise<void> {
    await Promise.race([this.running, pause(graceMs, this.closing.signal)]);
    this.closing.abort();
    for (const waiting of this.queue.splice(0)) waiting.settle(new BusError('closed', 'the bus was closed'));
    await this.replace();
  }

  private wake(): void {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      if (this.queue.length > 0 && !this.closing.signal.aborted) this.wake();
    });
  }

  private async run(): Promise<void> {
    // The rest of this tick's publications join the first batch.
    await Promise.resolve();
    while (this.queue.length > 0 && !this.closing.signal.aborted) {
      const producer = await this.connected();
      if (producer === undefined) continue;
      const batch = this.take();
      if (batch.length === 0) continue;
      const error = await this.sendBatch(producer, batch);
      if (error === undefined) continue;
      this.log.warn({ err: error, topic: batch[0]!.topicName, publications: batch.length }, 'a batch was not taken');
      if (!isTransient(error)) await this.sendEach(batch);
      else await this.requeue(batch);
    }
  }

  private async connected(): Promise<Producer | undefined> {
    if (this.producer !== undefined) return this.producer;
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      // Without an end: a bounded number of retries breaks the sequence. The deadline is ours.
      retry: { retries: Number.MAX_SAFE_INTEGER, initialRetryTime: 100, maxRetryTime: 500 },
    });
    try {
      await producer.connect();
      this.producer = producer;
      return producer;
    } catch (error) {
      this.log.warn({ err: error }, 'the producer could not connect');
      await producer.disconnect().catch(() => {});
      await pause(RECONNECT_AFTER_MS, this.closing.signal);
      this.dropSettled();
      return undefined;
    }
  }

  /** The oldest publications of one topic, in their order, as many as one batch holds. */
  private take(): Waiting[] {
    this.dropSettled();
    const topicName = this.queue[0]?.topicName;
    const taken: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.queue) {
      if (waiting.topicName !== topicName) continue;
      if (taken.length > 0 && bytes + waiting.bytes > this.bounds.batchBytesMax) break;
      taken.push(waiting);
      bytes += waiting.bytes;
    }
    const gone = new Set(taken);
    this.queue.splice(0, this.queue.length, ...this.queue.filter((waiting) => !gone.has(waiting)));
    return taken;
  }

  private async sendBatch(producer: Producer, batch: readonly Waiting[]): Promise<Error | undefined> {
    const topic = batch[0]!.topicName;
    const messages = batch.flatMap((waiting) => waiting.messages);
    try {
      await producer.sendBatch({ acks: -1, compression: CompressionTypes.GZIP, topicMessages: [{ topic, messages }] });
    } catch (error) {
      await this.replace();
      return error instanceof Error ? error : new Error(String(error));
    }
    this.ackedAtMs = this.clock.monotonicMs();
    for (const waiting of batch) waiting.settle();
    return undefined;
  }

  /** After a refused batch each publication goes alone, so that one bad message costs only its own publisher. */
  private async sendEach(batch: readonly Waiting[]): Promise<void> {
    const again: Waiting[] = [];
    for (const waiting of batch) {
      if (waiting.isSettled) continue;
      const producer = await this.connected();
      const failure = producer && (await this.sendBatch(producer, [waiting]));
      if (producer === undefined || (failure !== undefined && isTransient(failure))) again.push(waiting);
      else if (failure !== undefined) waiting.settle(new BusError('refused', failure.message, { cause: failure }));
    }
    if (again.length > 0) await this.requeue(again);
  }

  /** Puts back what the bus may take a moment later, ahead of what came after it; the deadline of each goes on. */
  private async requeue(batch: readonly Waiting[]): Promise<void> {
    if (this.closing.signal.aborted) {
      for (const waiting of batch) waiting.settle(new BusError('closed', 'the bus was closed'));
      return;
    }
    this.queue.unshift(...batch);
    await pause(RECONNECT_AFTER_MS, this.closing.signal);
  }

  private dropSettled(): void {
    this.queue.splice(0, this.queue.length, ...this.queue.filter((waiting) => !waiting.isSettled));
  }

  private async replace(): Promise<void> {
    const { producer } = this;
    this.producer = undefined;
    await producer
      ?.disconnect()
      .catch((error: unknown) => this.log.warn({ err: error }, 'a producer did not disconnect'));
  }
}

/** Whether the same messages may be taken a moment later, by a new producer. */
function isTransient(error: Error): boolean {
  let cause = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  const { retriable, type } = cause as Error & { retriable?: unknown; type?: unknown };
  return retriable === true || (typeof type === 'string' && SEQUENCE_REFUSALS.has(type));
}

function bytesOf(message: Message): number {
  return Buffer.byteLength(message.value ?? '') + Buffer.byteLength(message.key ?? '') + 96;
}
