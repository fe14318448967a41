import type { RawEntry } from '@warder/bus';
import { type CheckpointContext, CheckpointLane } from './checkpoint-lane.js';
import { DeliveryFile, type DeliveryState, readDeliveryState } from './delivery-state.js';
import { type Frame, FRAME_HEADER_BYTES, FrameKind, isBeginning } from './frame.js';
import type { LostRange } from './gap-record.js';
import type { JournalLog } from './journal-options.js';
import type { LogProgress } from './log-progress.js';
import { LogReader } from './log-reader.js';
import { LogTree } from './log-tree.js';
import { type Position, segmentOf } from './position.js';
import { joinRecord, recordIdOf } from './record-text.js';
import { SealedCheckpoints } from './sealed-checkpoints.js';
import { retireSegment, segmentNumbers } from './segment-file.js';

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
  /** Without it there are no checkpoints. */
  readonly checkpoints?: CheckpointContext | undefined;
  isPaused(): boolean;
  /** Called where records of a log are missing between others: what was damaged after it had been written. */
  onLost(log: string, lost: LostRange): void;
}

interface OpenIntent {
  readonly at: Position;
  readonly text: Buffer;
}

/**
 * Publishes one log's records, one batch at a time, and removes what was acknowledged. A record gets its index in the
 * log's tree in the order in which records become whole, so that after a crash what is sent again has the same bytes.
 * The watermark never passes an intent whose record is not acknowledged.
 */
export class Drain {
  private readonly reader: LogReader;
  private readonly file: DeliveryFile;
  /** Missing where its state is lost and the log's beginning is gone: then records have no index. */
  private readonly tree: LogTree | undefined;
  private readonly checkpoints: CheckpointLane | undefined;
  /** Records that became whole before it are acknowledged: there, frames are only read for intents that are open. */
  private readonly counted: Position;
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
    const state = readDeliveryState(dir);
    this.file = new DeliveryFile(dir);
    this.counted = state?.read ?? 0;
    this.tree = this.openTree(state);
    this.checkpoints = this.openCheckpoints();
    this.reader = new LogReader(dir, Math.min(state?.delivered ?? 0, progress.committed), (at, bytes) => {
      progress.addDamage(bytes);
      context.log.error({ log: name, segment: segmentOf(at), bytes }, 'the journal is damaged: bytes are passed over');
    });
  }

  /** Goes on where there is something to do; costs nothing where there is not. */
  wake(): void {
    if (this.running !== undefined || this.waitTimer !== undefined) return;
    if (this.isStopped || this.context.isPaused()) return;
    const isRead = this.batch.length === 0 && this.reader.position >= this.drained.progress.committed;
    if (isRead && !this.checkpoints?.isDue()) return;
    this.running = this.run().finally(() => {
      this.running = undefined;
      this.wake();
    });
  }

  /** Ends after the batch that is on its way; one that is not acknowledged in time will be sent again. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.waitTimer);
    this.checkpoints?.stop();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_AFTER_MS)));
    await Promise.race([this.finish(), late]);
    clearTimeout(timer);
    this.isAbandoned = true;
    this.reader.close();
    this.file.close();
  }

  /** What was acknowledged is checkpointed, so that a node that stays away leaves nothing unsigned. */
  private async finish(): Promise<void> {
    await this.running;
    if (this.batch.length > 0 || this.context.isPaused() || this.retryAfterMs > RETRY_FIRST_MS) return;
    try {
      await this.checkpoints?.publish();
    } catch (error) {
      this.context.log.warn({ err: error, log: this.drained.name }, 'the last checkpoint could not be published');
    }
  }

  private async run(): Promise<void> {
    try {
      while (!this.isStopped && !this.context.isPaused()) {
        if (this.batch.length === 0) {
          await this.checkpoints?.publishWhenDue(BATCH_RECORDS_MAX);
          if (this.isAbandoned) return;
          this.collect();
        }
        if (this.batch.length > 0) await this.context.publish(this.batch);
        if (this.isAbandoned) return;
        const isFull = this.batchBytes >= BATCH_BYTES_MAX || this.batch.length >= BATCH_RECORDS_MAX;
        this.acknowledge();
        this.checkpoints?.remind();
        this.retryAfterMs = RETRY_FIRST_MS;
        if (!isFull) return this.waitFor(GATHER_MS);
      }
    } catch (error) {
      if (this.isStopped) return;
      this.context.log.warn({ err: error, log: this.drained.name }, 'audit records could not be published');
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
      this.take(frame);
    }
  }

  private take(frame: Frame): void {
    if (isBeginning(frame.kind)) {
      const isGap = this.readBelow > 0 && frame.sequence > this.readBelow;
      if (isGap) this.context.onLost(this.drained.name, { from: this.readBelow, to: frame.sequence - 1 });
      this.readBelow = frame.sequence + 1;
    }
    if (frame.kind === FrameKind.intent) {
      const at = this.reader.position - frame.payload.length - FRAME_HEADER_BYTES;
      this.openIntents.set(frame.sequence, { at, text: Buffer.from(frame.payload) });
    } else if (frame.kind === FrameKind.record) {
      this.add(frame.sequence, frame.payload);
    } else {
      const intent = this.openIntents.get(frame.sequence);
      // An outcome without its intent is of a record that was acknowledged, or whose intent is lost.
      if (intent === undefined) return;
      this.openIntents.delete(frame.sequence);
      this.add(frame.sequence, intent.text, frame.payload);
    }
  }

  private add(sequence: number, intent: Buffer, outcome?: Buffer): void {
    if (this.reader.position <= this.counted) return;
    const { name: log } = this.drained;
    const value = joinRecord({ log, sequence, index: this.tree?.size }, intent, outcome);
    this.tree?.append(value);
    this.batch.push({ key: recordIdOf(log, sequence, intent), value });
    this.batchBytes += value.length;
  }

  private acknowledge(): void {
    const { progress, dir } = this.drained;
    const [oldest] = this.openIntents.values();
    const [oldestSequence = this.readBelow] = this.openIntents.keys();
    progress.deliveredBelow = Math.max(progress.deliveredBelow, oldestSequence);
    const delivered = oldest === undefined ? this.reader.position : oldest.at;
    const count = this.batch.length;
    this.batch = [];
    if (count === 0 && delivered === progress.delivered) return;
    this.write(delivered);
    progress.acknowledged += count;
    progress.unnamed = this.checkpoints?.unnamed ?? this.tree?.unnamed ?? 0;
    progress.delivered = delivered;
    const keep = segmentOf(delivered);
    if (keep <= progress.firstSegment) return;
    // What is removed must not be asked for again, so the state is on the disk before.
    this.file.sync();
    for (const number of segmentNumbers(dir)) if (number < keep) retireSegment(dir, number, progress);
    progress.firstSegment = keep;
  }

  private write(delivered: Position): void {
    const read = Math.max(this.counted, this.reader.position);
    this.file.write({ read, delivered, ...(this.tree && { tree: this.tree.state() }) });
  }

  private openTree(state: DeliveryState | undefined): LogTree | undefined {
    const { name, dir } = this.drained;
    const isBeginningGone = (segmentNumbers(dir)[0] ?? 0) > 0;
    if (state === undefined ? isBeginningGone : state.tree === undefined) {
      this.context.log.error({ log: name }, 'the state of the log is lost: its records have no place in a tree');
      return undefined;
    }
    return new LogTree(name, this.context.checkpoints?.privateKey, state?.tree);
  }

  private openCheckpoints(): CheckpointLane | undefined {
    const { tree, context, drained } = this;
    if (context.checkpoints === undefined || tree === undefined) return undefined;
    const keep = async (): Promise<void> => {
      this.write(drained.progress.delivered);
      await this.file.syncLater();
      drained.progress.unnamed = lane.unnamed;
    };
    const lane = new CheckpointLane(drained.name, context.checkpoints, {
      tree,
      sealed: new SealedCheckpoints(drained.dir),
      keep,
      isAbandoned: () => this.isAbandoned,
      wake: () => this.wake(),
    });
    drained.progress.unnamed = lane.unnamed;
    return lane;
  }
}
