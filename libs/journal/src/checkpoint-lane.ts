import type { KeyObject } from 'node:crypto';
import type { RawEntry } from '@warder/bus';
import type { JournalLog } from './journal-options.js';
import type { LogTree } from './log-tree.js';

/** What the checkpoints of all logs of a thread share. */
export interface CheckpointContext {
  readonly privateKey: KeyObject;
  readonly everyMs: number;
  readonly log: JournalLog;
  readonly clock: { wallMs(): number; monotonicMs(): number };
  publish(entry: RawEntry): Promise<void>;
}

/** What a checkpoint needs of its drain. */
export interface CheckpointHost {
  readonly tree: LogTree;
  /** Writes the tree's state down and resolves when it is on the disk. */
  keep(): Promise<void>;
  isAbandoned(): boolean;
  /** Called when a checkpoint is due although there is nothing to read. */
  wake(): void;
}

/**
 * Publishes the checkpoints of one log. One is on the disk before it leaves and is sent until it is acknowledged, so that
 * each begins where the last one ended, whatever happens in between.
 */
export class CheckpointLane {
  private dueAtMs: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly name: string,
    private readonly context: CheckpointContext,
    private readonly host: CheckpointHost,
  ) {
    this.dueAtMs = host.tree.isPending ? 0 : context.clock.monotonicMs() + context.everyMs;
    this.remind();
  }

  isDue(): boolean {
    return this.host.tree.unnamed > 0 && this.context.clock.monotonicMs() >= this.dueAtMs;
  }

  /**
   * Publishes what is due. A failure is said and tried again at the next time.
   * @throws the bus's error once no more records can be told apart without the checkpoint: they wait for it
   */
  async publishWhenDue(batchRecordsMax: number): Promise<void> {
    const isFull = this.host.tree.room < batchRecordsMax;
    if (!isFull && !this.isDue()) return this.remind();
    try {
      await this.publish();
    } catch (error) {
      if (isFull) throw error;
      this.context.log.warn({ error, log: this.name }, 'a checkpoint could not be published');
    }
    this.dueAtMs = this.context.clock.monotonicMs() + this.context.everyMs;
    this.remind();
  }

  /** Publishes what is new, due or not. @throws the bus's or the disk's error */
  async publish(): Promise<void> {
    const { tree } = this.host;
    if (tree.unnamed === 0) return;
    tree.beginCheckpoint(this.context.clock.wallMs());
    await this.host.keep();
    const checkpoint = tree.checkpoint();
    const key = `${this.name}/${checkpoint.size}`;
    await this.context.publish({ key, value: Buffer.from(JSON.stringify(checkpoint)) });
    if (this.host.isAbandoned()) return;
    tree.endCheckpoint();
    await this.host.keep();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Sees that what is new is checkpointed in time, if nothing else comes. */
  remind(): void {
    clearTimeout(this.timer);
    if (this.host.tree.unnamed === 0) return;
    const inMs = Math.max(0, Math.ceil(this.dueAtMs - this.context.clock.monotonicMs()));
    // A timer may fire a little before the clock says so: it is set again, or an idle log would stay unsigned.
    this.timer = setTimeout(() => (this.isDue() ? this.host.wake() : this.remind()), inMs);
    this.timer.unref();
  }
}
