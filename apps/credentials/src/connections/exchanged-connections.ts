import { storeErrorOf } from '@warder/postgres';
import type { ConnectionStates } from './connection-states.store.js';
import { makeMissing } from './exchanged.store.js';

/** Milliseconds between two looks for what another process set up. */
const LOOK_EVERY_MS = 60_000;

/** Sees to it that who connected at a provider has what is had for their token there, whenever that was set up. */
export class ExchangedConnections {
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private isAskedAgain = false;
  private isStopped = false;

  constructor(
    private readonly states: ConnectionStates,
    private readonly log: { warn(fields: object, message: string): void },
  ) {}

  start(): void {
    this.timer = setInterval(() => this.wake(), LOOK_EVERY_MS).unref();
    this.wake();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.working;
  }

  /** Somebody may have something to be made. */
  wake(): void {
    this.isAskedAgain = true;
    if (this.isStopped || this.working !== undefined) return;
    this.working = this.work()
      .catch((error: unknown) => this.log.warn({ err: storeErrorOf(error) }, 'connections are made later'))
      .finally(() => {
        this.working = undefined;
      });
  }

  private async work(): Promise<void> {
    while (this.isAskedAgain && !this.isStopped) {
      this.isAskedAgain = false;
      while (!this.isStopped && (await makeMissing(this.states)));
    }
  }
}
