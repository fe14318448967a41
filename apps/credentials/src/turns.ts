import { AdminError } from '@warder/service-host';

/**
 * One piece of work after the other, within this process: what holds no transaction open while it waits for the secret
 * store.
 */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** @param max - pieces that run or wait; one more is refused */
  constructor(private readonly max: number) {}

  /** @throws AdminError 503 WDR_SECRET_STORE_UNAVAILABLE when too many wait, as behind a slow store */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.waiting >= this.max)
      throw new AdminError(503, 'WDR_SECRET_STORE_UNAVAILABLE', 'too many changes wait for the secret store');
    this.waiting += 1;
    const turn = this.last.then(work).finally(() => {
      this.waiting -= 1;
    });
    this.last = turn.catch(() => undefined);
    return turn;
  }
}
