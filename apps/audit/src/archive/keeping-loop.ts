import type { Keeping } from './keeping.store.js';

const RUN_EVERY_MS = 3_600_000;

/** Runs the keeping once an hour and when it is asked to, never twice at once. */
export class KeepingLoop {
  private running: Promise<void> | undefined;
  private isAsked = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly keeping: Pick<Keeping, 'prepare' | 'run'>,
    private readonly wallMs: () => number,
    private readonly log: { error(fields: object, message: string): void },
  ) {}

  /**
   * Resolves once records can be stored, whatever became of it. The first run goes on behind it: to write an old day's
   * files and index takes minutes, and records are consumed meanwhile.
   */
  async start(): Promise<void> {
    this.timer = setInterval(() => void this.wake(), RUN_EVERY_MS);
    await this.attempt(() => this.keeping.prepare(this.wallMs()));
    void this.wake();
  }

  /** Runs now, or once more after the run that is under way. Never rejects. */
  wake(): Promise<void> {
    this.isAsked = true;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.isAsked = false;
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.isAsked) {
      this.isAsked = false;
      await this.attempt(() => this.keeping.run(this.wallMs()));
    }
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.log.error({ err: error }, 'the records are not kept as they should be; it is tried again');
    }
  }
}
