import type { Bus, RawEntry } from '@warder/bus';
import type { Topic } from '@warder/contracts';
import type { OutboxConnection } from './outbox-connection.js';

const BATCH_ROWS_MAX = 200;
const BATCH_BYTES_MAX = 524_288;
/** Notifications wake a lane at once; this is for the one that was lost with its connection. */
const POLL_MS = 1_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
const STOP_MS = 2_000;

/** The part of a logger that the outbox uses. */
export interface OutboxLog {
  warn(fields: object, message: string): void;
}

interface Row {
  id: string;
  key: string;
  value: string;
}

/** The rows of one topic, published in their order, one batch at a time. */
export class OutboxLane {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private wakeUp = (): void => {};
  private isAwake = false;
  private readonly waitingForEmpty = new Set<() => void>();

  constructor(
    private readonly topic: Topic<unknown>,
    private readonly bus: Bus,
    private readonly connection: OutboxConnection,
    private readonly log: OutboxLog,
    private readonly onPublished: (rows: number) => void,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** There may be rows. */
  wake(): void {
    this.isAwake = true;
    this.wakeUp();
  }

  /** Resolves at the first look after this call that finds no row. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.waitingForEmpty.add(resolve);
      this.wake();
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wakeUp();
    const late = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref());
    await Promise.race([this.running, late]);
  }

  private async run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.stopping.signal.aborted) {
      try {
        this.isAwake = false;
        const waiting = [...this.waitingForEmpty];
        if (await this.publishBatch()) continue;
        for (const resolve of waiting) {
          this.waitingForEmpty.delete(resolve);
          resolve();
        }
        retryMs = FIRST_RETRY_MS;
        if (!this.isAwake) await this.pause(POLL_MS);
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        // Neither the driver's nor the bus's error is logged whole: rows are state, and texts are enough to act on.
        this.log.warn(
          { topic: this.topic.name, reason: (error as Error).message },
          'outbox not published, trying again',
        );
        await this.pause(retryMs);
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
      }
    }
  }

  /** @returns whether there was anything to publish */
  private async publishBatch(): Promise<boolean> {
    const rows = await this.connection.query<Row>(
      'SELECT id, key, value FROM outbox WHERE topic = $1 ORDER BY id LIMIT $2',
      [this.topic.name, BATCH_ROWS_MAX],
    );
    const batch = withinBytes(rows);
    if (batch.length === 0) return false;
    const entries: RawEntry[] = batch.map(({ key, value }) => ({ key, value: Buffer.from(value) }));
    await this.bus.publishRaw(this.topic, entries);
    await this.connection.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [batch.map(({ id }) => id)]);
    this.onPublished(batch.length);
    return true;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.stopping.signal.aborted) this.wakeUp();
    });
  }
}

/** The first rows that fit in a batch; one row always does. */
function withinBytes(rows: readonly Row[]): Row[] {
  let bytes = 0;
  const end = rows.findIndex(({ value }, at) => (bytes += value.length) > BATCH_BYTES_MAX && at > 0);
  return end < 0 ? [...rows] : rows.slice(0, end);
}
