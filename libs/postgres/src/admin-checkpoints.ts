import type { KeyObject } from 'node:crypto';
import { advanceTree, type TreeConnection } from './admin-tree.js';
import type { OutboxLog } from './outbox-lane.js';

/** Between two signed heads of the log, where there is something new: the rhythm of the nodes' logs. */
export const CHECKPOINT_EVERY_MS = 10_000;
/** Records after which one is made at once. */
export const CHECKPOINT_RECORDS = 256;

/** When and with what the heads of a log are signed. */
export interface CheckpointTerms {
  /** The log, `admin/<service>`. */
  readonly origin: string;
  /** Ed25519; without one nothing is signed. */
  readonly privateKey: KeyObject | undefined;
  readonly everyMs: number;
  /** Wall milliseconds. */
  readonly wallMs: () => number;
}

/** Has the heads of a service's log of admin acts signed: by time, by count, and at the end. */
export class AdminCheckpoints {
  private running: Promise<void> | undefined;
  private isStopped = false;
  private published = 0;
  private wakeUp = (): void => {};

  /** @param onMade - a checkpoint stands in the outbox */
  constructor(
    private readonly terms: CheckpointTerms,
    private readonly connection: TreeConnection,
    private readonly log: OutboxLog,
    private readonly onMade: () => void,
  ) {}

  start(): void {
    if (this.terms.privateKey === undefined)
      this.log.warn(
        { log: this.terms.origin },
        'bus.signing names no key: the heads of this log are not signed, and nobody can prove what stands in it',
      );
    this.running ??= this.run();
  }

  /** So many records of the log have left the outbox. */
  take(records: number): void {
    this.published += records;
    if (this.published >= CHECKPOINT_RECORDS) this.wakeUp();
  }

  /** Signs what has been published and ends. @returns whether there was something new */
  async stop(): Promise<boolean> {
    this.isStopped = true;
    this.wakeUp();
    if (this.running === undefined) return false;
    await this.running;
    return (await this.makeDue()) > 0;
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      await this.makeDue();
      if (!this.isStopped && this.published < CHECKPOINT_RECORDS) await this.pause(this.terms.everyMs);
    }
  }

  /** @returns how many were made */
  private async makeDue(): Promise<number> {
    const { origin, privateKey, wallMs } = this.terms;
    let made = 0;
    this.published = 0;
    try {
      while ((await advanceTree(this.connection, origin, privateKey, wallMs())) > 0) made++;
    } catch (error) {
      // Said with its text alone, as in the lanes, and made at the next time.
      if (!this.isStopped)
        this.log.warn({ log: origin, reason: (error as Error).message }, 'a checkpoint was not made');
    }
    if (made > 0) this.onMade();
    return made;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
