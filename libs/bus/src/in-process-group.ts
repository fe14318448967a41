import { untilItSucceeds } from './back-off.js';
import { type BusClock, BusError, type BusLog, type GroupLag, type RawMessage } from './bus.js';
import { Handling } from './handling.js';

const BATCH_MESSAGES_MAX = 500;

interface Pending {
  message: RawMessage;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A durable group of the in-process bus: what its handler has not committed stays, also while nobody handles. */
export class InProcessGroup {
  private readonly pending: Pending[] = [];
  private handler: ((batch: readonly RawMessage[]) => Promise<void>) | undefined;
  private running: Promise<void> | undefined;
  private batchMessagesMax = BATCH_MESSAGES_MAX;
  private stopping = new AbortController();
  private readonly handling: Handling;

  constructor(
    private readonly name: string,
    clock: BusClock,
    private readonly log: BusLog,
  ) {
    this.handling = new Handling(() => clock.monotonicMs());
  }

  /** Milliseconds that the handler has been at one batch; `undefined` where there is no handler. */
  handlingMs(): number | undefined {
    return this.handler && this.handling.runningMs();
  }

  /** Resolves once the handler has committed the messages; rejects only when the bus closes. */
  async deliver(messages: readonly RawMessage[]): Promise<void> {
    const committed = messages.map(
      (message) => new Promise<void>((resolve, reject) => this.pending.push({ message, resolve, reject })),
    );
    this.wake();
    await Promise.all(committed);
  }

  /**
   * Lets the handler take what waits.
   * @throws BusError when the group has a handler already: two of them would both see a message
   */
  start(handler: (batch: readonly RawMessage[]) => Promise<void>, batchMessagesMax = BATCH_MESSAGES_MAX): void {
    if (this.handler !== undefined) throw new BusError('refused', `group ${this.name} has a handler already`);
    this.handler = handler;
    this.batchMessagesMax = batchMessagesMax;
    this.stopping = new AbortController();
    this.wake();
  }

  /** Lets the running handler end; what it did not commit waits for the next handler. */
  async stop(): Promise<void> {
    this.handler = undefined;
    this.stopping.abort();
    await this.running;
  }

  /**
   * Begins again with what is wanted of the kept messages; what waited and is not wanted counts as committed.
   * @throws BusError `refused` while there is a handler
   */
  rewind(kept: readonly RawMessage[], isWanted: (message: RawMessage) => boolean): void {
    if (this.handler !== undefined) throw new BusError('refused', `group ${this.name} has a handler`);
    const known = new Set(this.pending.map(({ message }) => message));
    const again = kept.filter((message) => !known.has(message));
    const all = [...again.map((message) => ({ message, resolve() {}, reject() {} })), ...this.pending.splice(0)];
    for (const entry of all.toSorted((one, other) => Number(one.message.offset) - Number(other.message.offset))) {
      if (isWanted(entry.message)) this.pending.push(entry);
      else entry.resolve();
    }
  }

  lag(wallMs: number): GroupLag {
    const [oldest] = this.pending;
    return { records: this.pending.length, ms: oldest ? Math.max(0, wallMs - oldest.message.timestampMs) : 0 };
  }

  async close(): Promise<void> {
    await this.stop();
    for (const { reject } of this.pending.splice(0)) reject(new BusError('closed', 'the bus was closed'));
  }

  private wake(): void {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      if (this.pending.length > 0 && this.handler !== undefined) this.wake();
    });
  }

  private async run(): Promise<void> {
    const { handler } = this;
    const { signal } = this.stopping;
    while (handler !== undefined && this.handler === handler && this.pending.length > 0) {
      const taken = this.pending.slice(0, this.batchMessagesMax);
      const messages = taken.map(({ message }) => message);
      const isCommitted = await untilItSucceeds(
        () => this.handling.run(() => handler(messages)),
        signal,
        (error) =>
          this.log.warn({ err: error, group: this.name, messages: messages.length }, 'a handler failed, again'),
      );
      if (!isCommitted) return;
      this.pending.splice(0, taken.length);
      for (const { resolve } of taken) resolve();
    }
  }
}
