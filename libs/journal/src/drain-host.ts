import { Drain, type DrainContext, type DrainedLog } from './drain.js';

/** Drains logs on this thread or on another one. */
export interface DrainHost {
  add(log: DrainedLog): void;
  /** Stops draining a log; resolves when its files are let go. */
  remove(name: string): Promise<void>;
  /** Says that a log of this thread was written to. */
  wake(): void;
  setPaused(isPaused: boolean): void;
  stop(): Promise<void>;
  /** Called where a drain finds that records of a log are missing. */
  onLost: DrainContext['onLost'];
}

/** All drains of one thread. */
export class LocalDrainHost implements DrainHost {
  private readonly drains = new Map<string, Drain>();
  private isPaused = false;
  private readonly context: DrainContext;

  onLost: DrainContext['onLost'] = () => {};

  constructor(context: Omit<DrainContext, 'isPaused' | 'onLost'>) {
    const { log, publish, checkpoints } = context;
    this.context = {
      log,
      publish: (entries) => publish(entries),
      checkpoints,
      isPaused: () => this.isPaused,
      onLost: (name, lost) => this.onLost(name, lost),
    };
  }

  add(log: DrainedLog): void {
    const drain = new Drain(log, this.context);
    this.drains.set(log.name, drain);
    drain.wake();
  }

  async remove(name: string): Promise<void> {
    const drain = this.drains.get(name);
    this.drains.delete(name);
    await drain?.stop();
  }

  wake(): void {
    for (const drain of this.drains.values()) drain.wake();
  }

  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.wake();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.drains.keys()].map((name) => this.remove(name)));
  }
}
