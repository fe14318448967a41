import { untilItSucceeds } from './back-off.js';
import { type BusClock, BusError, type BusLog, type GroupLag, type RawMessage } from './bus.js';
import type { CursorFile } from './event-cursor.js';
import type { EventLog } from './event-log.js';
import { EventReader } from './event-reader.js';
import { Handling } from './handling.js';

const BATCH_MESSAGES_MAX = 500;
const HANDLED_NOTED_EVERY_MS = 3_600_000;

/** What the groups of one topic share. */
export interface GroupContext {
  readonly topicName: string;
  readonly events: EventLog;
  readonly clock: BusClock;
  readonly log: BusLog;
}

/**
 * A durable group of a topic in segments. It reads at its own pace, a chunk at a time, and its cursor outlives the
 * process; a handler that is slow or fails delays no other group and no publisher.
 */
export class EventGroup {
  private committed: number;
  private handledAtMs: number;
  private notedAtMs: number;
  private isHandled = false;
  private stopping = new AbortController();
  private running: Promise<void> | undefined;
  private readonly handling: Handling;
  /** When the message at `offset` was published, for the lag. */
  private oldest: { offset: number; timestampMs: number } | undefined;

  constructor(
    readonly name: string,
    private readonly context: GroupContext,
    private readonly file: CursorFile,
    at: { offset: number; handledAtMs: number },
  ) {
    this.handling = new Handling(() => context.clock.monotonicMs());
    this.committed = at.offset;
    this.handledAtMs = this.notedAtMs = at.handledAtMs;
  }

  /** The first offset that the group has not committed. */
  get offset(): number {
    return this.committed;
  }

  /** Milliseconds that the handler has been at one batch; `undefined` where there is no handler. */
  handlingMs(): number | undefined {
    return this.isHandled ? this.handling.runningMs() : undefined;
  }

  /**
   * Begins to hand messages to the handler.
   * @throws BusError when the group has a handler already: two of them would both see a message
   */
  start(handler: (batch: readonly RawMessage[]) => Promise<void>, batchMessagesMax = BATCH_MESSAGES_MAX): void {
    if (this.isHandled) throw new BusError('refused', `group ${this.name} has a handler already`);
    this.isHandled = true;
    this.stopping = new AbortController();
    this.note();
    this.running = this.run(handler, batchMessagesMax, this.stopping.signal);
  }

  /** Lets the running handler end; what it did not commit comes to the next handler. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    if (this.isHandled) this.note();
    this.isHandled = false;
    await this.file.flushed();
  }

  /** @throws BusError `refused` while the group has a handler */
  async rewind(to: number | 'beginning'): Promise<void> {
    const { events } = this.context;
    if (this.isHandled) throw new BusError('refused', `group ${this.name} has a handler`);
    this.committed = to === 'beginning' ? events.firstOffset : await events.offsetAt(to);
    this.note();
    await this.file.flushed();
  }

  async lag(): Promise<GroupLag> {
    const { events, clock } = this.context;
    const records = events.nextOffset - Math.max(this.committed, events.firstOffset);
    if (records <= 0) return { records: 0, ms: 0 };
    if (this.oldest?.offset !== this.committed) await this.findOldest();
    const ageMs = this.oldest === undefined ? 0 : clock.wallMs() - this.oldest.timestampMs;
    return { records, ms: Math.max(0, ageMs) };
  }

  /** Whether nobody has handled the group for so long that it is taken for gone. */
  isForgotten(groupKeptMs: number): boolean {
    return !this.isHandled && this.context.clock.wallMs() - this.handledAtMs > groupKeptMs;
  }

  /** Says in the file that the group is handled, though it may commit nothing for days. */
  noteHandled(): void {
    const sinceMs = Math.abs(this.context.clock.wallMs() - this.notedAtMs);
    if (this.isHandled && sinceMs > HANDLED_NOTED_EVERY_MS) this.note();
  }

  async forget(): Promise<void> {
    await this.file.remove();
  }

  private async run(
    handler: (batch: readonly RawMessage[]) => Promise<void>,
    batchMessagesMax: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { events, log, topicName } = this.context;
    const warn = (message: string) => (error: unknown) =>
      log.warn({ err: error, topic: topicName, group: this.name }, message);
    const reader = new EventReader(events, this.committed);
    let messages: RawMessage[] = [];
    const read = async (): Promise<void> => void (messages = await reader.next());
    while (await untilItSucceeds(read, signal, warn('events cannot be read, again'))) {
      if (messages.length === 0) await events.grown(reader.nextOffset, signal);
      for (let start = 0; start < messages.length; start += batchMessagesMax) {
        const taken = messages.slice(start, start + batchMessagesMax);
        this.remember(taken[0]!);
        const handle = (): Promise<void> => this.handling.run(() => handler(taken));
        if (!(await untilItSucceeds(handle, signal, warn('a handler failed, again')))) break;
        this.committed = Number(taken.at(-1)!.offset) + 1;
        this.note();
      }
    }
    await reader.close();
  }

  private note(): void {
    this.handledAtMs = this.notedAtMs = this.context.clock.wallMs();
    this.file.write({ offset: this.committed, handledAtMs: this.handledAtMs });
  }

  private remember({ offset, timestampMs }: RawMessage): void {
    // What stands before this message and was not committed is lost to damage.
    if (Number(offset) > this.committed) this.committed = Number(offset);
    this.oldest = { offset: this.committed, timestampMs };
  }

  private async findOldest(): Promise<void> {
    const reader = new EventReader(this.context.events, this.committed);
    try {
      const [oldest] = await reader.next();
      this.oldest = oldest && { offset: this.committed, timestampMs: oldest.timestampMs };
    } finally {
      await reader.close();
    }
  }
}
