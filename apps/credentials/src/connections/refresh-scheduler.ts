import { storeErrorOf } from '@warder/postgres';
import type { Refresher } from './refresher.js';
import type { RefreshStore } from './refresh.store.js';

export interface RefreshSchedulerParts {
  readonly store: Pick<RefreshStore, 'due'>;
  readonly refresher: Refresher;
  /** Refreshes at a time. */
  readonly refreshesMax: number;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  readonly log: { warn(fields: object, message: string): void };
}

/** Milliseconds for which nothing is begun after a failure of our own. */
const REST_MS = 5_000;

/** Looks for connections whose time has come, a bounded number at a time; several processes may do so beside each other. */
export class RefreshScheduler {
  private timer: NodeJS.Timeout | undefined;
  private resting: NodeJS.Timeout | undefined;
  private isResting = false;
  private isStopped = false;
  private looking: Promise<void> | undefined;

  constructor(private readonly parts: RefreshSchedulerParts) {}

  start(): void {
    this.timer = setInterval(() => this.look(), this.parts.everyMs).unref();
  }

  /** Begins nothing more, and waits for what is under way: an answer that nobody reads would cost a refresh token. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    clearTimeout(this.resting);
    await this.looking;
    await this.parts.refresher.settled();
  }

  private look(): void {
    if (this.isStopped || this.isResting || this.looking !== undefined) return;
    this.looking = this.begin()
      .catch((error: unknown) => this.parts.log.warn({ err: storeErrorOf(error) }, 'due connections cannot be read'))
      .finally(() => {
        this.looking = undefined;
      });
  }

  /** What fails here and not at a provider, such as a sealed secret store, fails for all: they wait. */
  private rest(id: string, error: unknown): void {
    this.parts.log.warn({ err: storeErrorOf(error), connection: id }, 'connections are refreshed later');
    this.isResting = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => (this.isResting = false), REST_MS).unref();
  }

  private async begin(): Promise<void> {
    const { store, refresher, refreshesMax } = this.parts;
    const free = refreshesMax - refresher.count;
    if (free <= 0) return;
    for (const id of await store.due(free)) {
      if (this.isStopped || refresher.isRunning(id)) continue;
      refresher.refresh(id, 'schedule').then(
        // A slot is free: whoever waits for one need not wait for the next look.
        (outcome) => outcome === 'refreshed' && this.look(),
        (error: unknown) => this.rest(id, error),
      );
    }
  }
}
