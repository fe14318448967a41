import type { RawEntry } from '@warder/bus';
import { FRAME_HEADER_BYTES, FrameKind, isBeginning } from './frame.js';
import type { JournalLog } from './journal-options.js';
import type { LogProgress } from './log-progress.js';
import { LogReader } from './log-reader.js';
import { type Position, segmentOf } from './position.js';
import { joinRecord, recordIdOf } from './record-text.js';
import { retireSegment, segmentNumbers } from './segment-file.js';
import { readWatermark, Watermark } from './watermark.js';

const BATCH_RECORDS_MAX = 500;
/** Below the topic's 1 MiB, because a broker counts the batch that a partition gets, not its records. */
const BATCH_BYTES_MAX = 786_432;
/**
 * How long records gather behind a batch that was not full. A request, and a compressor per partition, cost as much for
 * five records as for fifty: sent as they come, records cost more CPU than the calls that they are of.
 */
const GATHER_MS = 100;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5_000;
/** How long a batch that is on its way may hold up a stop. */
const STOP_AFTER_MS = 1_000;

/** One log to drain. */
export interface DrainedLog {
  readonly name: string;
  readonly dir: string;
  readonly progress: LogProgress;
}

/** What all drains of a thread share. */
export interface DrainContext {
  readonly log: JournalLog;
  publish(entries: readonly RawEntry[]): Promise<void>;
  isPaused(): boolean;
}

interface OpenIntent {
  readonly at: Position;
  readonly text: Buffer;
}

/**
 * Publishes one log's records, one batch at a time, and removes what was acknowledged. The watermark never passes an
 * intent whose record is not acknowledged; after a crash everything behind it is sent again.
 */
export class Drain {
  private readonly reader: LogReader;
  private readonly watermark: Watermark;
  private readonly openIntents = new Map<number, OpenIntent>();
  private batch: RawEntry[] = [];
  private batchBytes = 0;
  /** Records with a lower sequence number were read, or are lost. */
  private readBelow = 0;
  private running: Promise<void> | undefined;
  /** Set while the drain waits: for records to gather, or to try again. */
  private waitTimer: NodeJS.Timeout | undefined;
  private retryAfterMs = RETRY_FIRST_MS;
  private isStopped = false;
  private isAbandoned = false;

  constructor(
    private readonly drained: DrainedLog,
    private readonly context: DrainContext,
  ) {
    const { dir, name, progress } = drained;
    const from = Math.min(readWatermark(dir), progress.committed);
    this.watermark = new Watermark(dir);
    this.reader = new LogReader(dir, from, (at, bytes) => {
      progress.addDamage(bytes);
      context.log.error({ log: name, segment: segmentOf(at), bytes }, 'the journal is damaged: bytes are passed over');
    });
  }

  /** Goes on where there is something to do; costs nothing where there is not. */
  wake(): void {
    if (this.running !== undefined || this.waitTimer !== undefined) return;
    if (this.isStopped || this.context.isPaused()) return;
    if (this.batch.length === 0 && this.reader.position >= this.drained.progress.committed) return;
    this.running = this.run().finally(() => {
      this.running = undefined;
      this.wake();
    });
  }

  /** Ends after the batch that is on its way; one that is not acknowledged in time will be sent again. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.waitTimer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_AFTER_MS)));
    await Promise.race([this.running, late]);
    clearTimeout(timer);
    this.isAbandoned = true;
    this.reader.close();
    this.watermark.close();
  }

  private async run(): Promise<void> {
    try {
      while (!this.isStopped && !this.context.isPaused()) {
        if (this.batch.length === 0) this.collect();
        if (this.batch.length > 0) await this.context.publish(this.batch);
        if (this.isAbandoned) return;
        const isFull = this.batchBytes >= BATCH_BYTES_MAX || this.batch.length >= BATCH_RECORDS_MAX;
        this.acknowledge();
        this.retryAfterMs = RETRY_FIRST_MS;
        if (!isFull) return this.waitFor(GATHER_MS);
      }
    } catch (error) {
      if (this.isStopped) return;
      this.context.log.warn({ error, log: this.drained.name }, 'audit records could not be published');
      this.waitFor(this.retryAfterMs);
      this.retryAfterMs = Math.min(this.retryAfterMs * 2, RETRY_MAX_MS);
    }
  }

  private waitFor(ms: number): void {
    if (this.isStopped) return;
    this.waitTimer = setTimeout(() => {
      this.waitTimer = undefined;
      this.wake();
    }, ms);
  }

  private collect(): void {
    const { committed } = this.drained.progress;
    this.batchBytes = 0;
    while (this.batch.length < BATCH_RECORDS_MAX && this.batchBytes < BATCH_BYTES_MAX) {
      const frame = this.reader.next(committed);
      if (frame === undefined) return;
      if (isBeginning(frame.kind)) this.readBelow = frame.sequence + 1;
      if (frame.kind === FrameKind.intent) {
        const at = this.reader.position - frame.payload.length - FRAME_HEADER_BYTES;
        this.openIntents.set(frame.sequence, { at, text: Buffer.from(frame.payload) });
      } else if (frame.kind === FrameKind.record) {
        this.add(frame.sequence, frame.payload);
      } else {
        const intent = this.openIntents.get(frame.sequence);
        // An outcome without its intent is of a record that was acknowledged before the watermark was written.
        if (intent === undefined) continue;
        this.openIntents.delete(frame.sequence);
        this.add(frame.sequence, intent.text, frame.payload);
      }
    }
  }

  private add(sequence: number, intent: Buffer, outcome?: Buffer): void {
    const { name } = this.drained;
    const value = joinRecord(name, sequence, intent, outcome);
    this.batch.push({ key: recordIdOf(name, sequence, intent), value });
    this.batchBytes += value.length;
  }

  private acknowledge(): void {
    const { progress, dir } = this.drained;
    const [oldest] = this.openIntents.values();
    const [oldestSequence = this.readBelow] = this.openIntents.keys();
    progress.deliveredBelow = Math.max(progress.deliveredBelow, oldestSequence);
    const delivered = oldest === undefined ? this.reader.position : oldest.at;
    progress.acknowledged += this.batch.length;
    this.batch = [];
    if (delivered === progress.delivered) return;
    this.watermark.write(delivered);
    progress.delivered = delivered;
    const keep = segmentOf(delivered);
    if (keep <= progress.firstSegment) return;
    // What is removed must not be asked for again, so the watermark is on the disk before.
    this.watermark.sync();
    for (const number of segmentNumbers(dir)) if (number < keep) retireSegment(dir, number, progress);
    progress.firstSegment = keep;
  }
}
