import type { KeyObject } from 'node:crypto';
import type { RawEntry } from '@warder/bus';
import type { JournalLog } from './journal-options.js';
import type { LogTree } from './log-tree.js';
import type { SealedCheckpoints } from './sealed-checkpoints.js';

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
  readonly sealed: SealedCheckpoints;
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
    this.dueAtMs = host.tree.isPending || host.sealed.records > 0 ? 0 : context.clock.monotonicMs() + context.everyMs;
    this.remind();
  }

  /** Records that no acknowledged checkpoint names. */
  get unnamed(): number {
    return this.host.tree.unnamed + this.host.sealed.records;
  }

  isDue(): boolean {
    return this.unnamed > 0 && this.context.clock.monotonicMs() >= this.dueAtMs;
  }

  /**
   * Publishes what is due. A failure is said and tried again at the next time; where the tree has no room for a batch, the
   * checkpoint waits in a file, so that records never wait for the topic of checkpoints.
   * @throws the disk's error, or where too many wait: then records do, too
   */
  async publishWhenDue(batchRecordsMax: number): Promise<void> {
    const { tree } = this.host;
    if (tree.room >= batchRecordsMax && !this.isDue()) return this.remind();
    try {
      await this.publish();
    } catch (error) {
      this.context.log.warn({ err: error, log: this.name }, 'a checkpoint could not be published');
    }
    this.dueAtMs = this.context.clock.monotonicMs() + this.context.everyMs;
    // One that is on its way stays what it is, and may name so few that the next one is due at once.
    while (tree.room < batchRecordsMax && !this.host.isAbandoned()) await this.seal();
    this.remind();
  }

  /** Publishes what is new, due or not, behind what waits. @throws the bus's or the disk's error */
  async publish(): Promise<void> {
    await this.publishSealed();
    if (this.host.tree.unnamed === 0 || this.host.isAbandoned()) return;
    await this.conclude(({ size, bytes }) => this.send(size, bytes));
  }

  private async publishSealed(): Promise<void> {
    const { sealed } = this.host;
    for (let next = await sealed.oldest(); next !== undefined; next = await sealed.oldest()) {
      await this.send(next.size, next.bytes);
      if (this.host.isAbandoned()) return;
      await sealed.removeOldest();
      await this.host.keep();
    }
  }

  private seal(): Promise<void> {
    return this.conclude(({ leavesFrom, size, bytes }) => this.host.sealed.add({ from: leavesFrom, to: size }, bytes));
  }

  /** Hands the next checkpoint over; it is on the disk before, and done with after, so that its bytes never change. */
  private async conclude(
    handOver: (made: { leavesFrom: number; size: number; bytes: Buffer }) => Promise<void>,
  ): Promise<void> {
    const { tree } = this.host;
    tree.beginCheckpoint(this.context.clock.wallMs());
    await this.host.keep();
    const checkpoint = tree.checkpoint();
    const { leavesFrom, size } = checkpoint;
    await handOver({ leavesFrom, size, bytes: Buffer.from(JSON.stringify(checkpoint)) });
    if (this.host.isAbandoned()) return;
    tree.endCheckpoint();
    await this.host.keep();
  }

  private send(size: number, value: Buffer): Promise<void> {
    return this.context.publish({ key: `${this.name}/${size}`, value });
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Sees that what is new is checkpointed in time, if nothing else comes. */
  remind(): void {
    clearTimeout(this.timer);
    if (this.unnamed === 0) return;
    const inMs = Math.max(0, Math.ceil(this.dueAtMs - this.context.clock.monotonicMs()));
    // A timer may fire a little before the clock says so: it is set again, or an idle log would stay unsigned.
    this.timer = setTimeout(() => (this.isDue() ? this.host.wake() : this.remind()), inMs);
    this.timer.unref();
  }
}
