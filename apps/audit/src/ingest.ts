import type { RawMessage } from '@warder/bus';
import type { Metrics } from '@warder/telemetry';
import { type ReadBatch, readBatch, type RecordSink, storeRead } from './store-batch.js';

/** Bounds of what one transaction stores, unless a single batch has more: three of six partitions, while three are read. */
const TAKEN_MESSAGES_MAX = 4_608;
const TAKEN_BYTES_MAX = 16_777_216;

/** The part of a logger that ingest uses. */
export interface IngestLog {
  warn(fields: object, message: string): void;
}

/** A batch of one partition, whose handler waits for it. */
interface Waiting {
  readonly batch: readonly RawMessage[];
  readonly bytes: number;
  readonly settle: (error?: unknown) => void;
}

/** What the next transaction stores. */
interface Ready {
  readonly read: ReadBatch[];
  readonly taken: Waiting[];
  messages: number;
  bytes: number;
  isAlone: boolean;
}

/**
 * Stores batches and counts what became of them. Batches that come together, each of another partition, are stored
 * together, for a use of a tool is counted once for each transaction that it is in. While one transaction is at the
 * store, the next one is read: one is there and one is ready at most, and what else came waits as the bytes that came.
 * A batch that failed is stored alone when it comes again, so that what keeps one out keeps no other out.
 */
export class Ingest {
  private readonly records;
  private waiting: Waiting[] = [];
  private isRunning = false;
  private storing: Promise<void> | undefined;
  private arrived: () => void = () => {};
  /** Where each partition's batch begins that failed and was not stored since. */
  private readonly failed = new Map<number, string>();
  private failures = 0;

  constructor(
    private readonly sink: RecordSink,
    private readonly log: IngestLog,
    metrics: Metrics,
  ) {
    this.records = metrics.counter('warder_audit_records_total', 'Audit records by what became of them', ['became']);
  }

  /**
   * Resolves once all of the batch is stored or set aside; only then may its offset be committed.
   * @throws whatever kept it out: the bus keeps it and sends it again
   */
  take(batch: readonly RawMessage[]): Promise<void> {
    const bytes = batch.reduce((sum, { value }) => sum + value.length, 0);
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => (error === undefined ? resolve() : reject(error as Error));
      this.waiting.push({ batch, bytes, settle });
      this.arrived();
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    // What the bus fetched together comes within one turn of the loop.
    await new Promise((resolve) => setImmediate(resolve));
    let ready = nothing();
    while (this.waiting.length > 0 || ready.taken.length > 0 || this.storing !== undefined) {
      const next = this.waiting[0];
      if (next !== undefined && this.fits(next, ready)) {
        this.waiting.shift();
        await this.read(next, ready);
      } else if (ready.taken.length > 0 && this.storing === undefined) {
        this.storing = this.store(ready).finally(() => (this.storing = undefined));
        ready = nothing();
      } else {
        await Promise.race([this.storing, new Promise<void>((resolve) => (this.arrived = resolve))]);
      }
    }
    this.isRunning = false;
  }

  private async read(next: Waiting, ready: Ready): Promise<void> {
    try {
      ready.read.push(await readBatch(next.batch));
      ready.taken.push(next);
      ready.messages += next.batch.length;
      ready.bytes += next.bytes;
      ready.isAlone = this.isAgain(next);
    } catch (error) {
      next.settle(error);
    }
  }

  /** Never rejects: whoever waits for a batch is told what became of it. */
  private async store({ read, taken }: Ready): Promise<void> {
    try {
      const whole = { rows: read.flatMap(({ rows }) => rows), unreadable: read.flatMap((one) => one.unreadable) };
      const { stored, known, quarantined } = await storeRead(whole, this.sink);
      this.failures = 0;
      this.records.inc({ became: 'stored' }, stored);
      this.records.inc({ became: 'known' }, known);
      this.records.inc({ became: 'quarantined' }, quarantined);
      if (quarantined > 0) this.log.warn({ quarantined }, 'messages of the audit topic are no records');
      for (const { batch, settle } of taken) {
        this.failed.delete(batch[0]!.partition);
        settle();
      }
    } catch (error) {
      for (const { batch } of taken) this.failed.set(batch[0]!.partition, batch[0]!.offset);
      // The bus retries every second or so; an outage is one line, not one for each retry.
      if (this.failures++ === 0)
        this.log.warn({ err: error }, 'audit records cannot be stored now; the topic keeps them');
      for (const { settle } of taken) settle(error ?? new Error('the store failed for no reason'));
    }
  }

  private fits(next: Waiting, ready: Ready): boolean {
    if (ready.taken.length === 0) return true;
    if (ready.isAlone || this.isAgain(next)) return false;
    const { batch, bytes } = next;
    return ready.messages + batch.length <= TAKEN_MESSAGES_MAX && ready.bytes + bytes <= TAKEN_BYTES_MAX;
  }

  private isAgain({ batch: [first] }: Waiting): boolean {
    return first !== undefined && this.failed.get(first.partition) === first.offset;
  }
}

const nothing = (): Ready => ({ read: [], taken: [], messages: 0, bytes: 0, isAlone: false });
