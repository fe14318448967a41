import type { Destination, DestinationContext, DestinationState, ExportRecord, RefusedRecord } from './destination.js';
import { ReceiverBusy } from './receiver-busy.js';
import { partsOf, type Rendered } from './rendered.js';

/** A receiver that asks for longer is asked again after this all the same. */
const RETRY_AFTER_MAX_MS = 600_000;

/** What became of records, told as soon as it is known: a try that fails later does not send them again. */
export interface Settle {
  delivered(rendered: readonly Rendered[]): void;
  refused(rendered: readonly Rendered[], reason: string): void;
}

/** How one kind of receiver is spoken to. */
export interface HttpProtocol {
  /** The record's share of a body. */
  render(record: ExportRecord): string;
  /**
   * Posts one part, within `bodyBytesMax`. Every record of it is settled, or stands in one of the smaller parts that
   * are returned to be posted next, or `finish` settles it.
   * @throws Error when the part must be tried again
   */
  post(part: readonly Rendered[], settle: Settle, signal: AbortSignal): Promise<readonly (readonly Rendered[])[]>;
  /** Waits for acknowledgements that come later than the answer to a post. */
  finish?(settle: Settle, signal: AbortSignal): Promise<void>;
  /** Asks, before anything is posted, what became of the posts of a try that failed. */
  resume?(open: readonly Rendered[], settle: Settle, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * A destination that posts parts of a batch. What an earlier try settled is not posted again when the batch comes
 * again, so a failing record does not double its neighbours in a receiver that cannot tell.
 */
export class HttpDestination implements Destination {
  private status: DestinationState['status'] = 'idle';
  /** Of the batch that is being tried; `undefined` is delivered, a text says why refused. */
  private settled = new Map<string, string | undefined>();
  /** Monotonic milliseconds until which the receiver asked to be left alone. */
  private quietUntilMs = 0;

  constructor(
    private readonly protocol: HttpProtocol,
    private readonly bodyBytesMax: number,
    private readonly clock: DestinationContext['clock'],
  ) {}

  async send(batch: readonly ExportRecord[], signal: AbortSignal): Promise<readonly RefusedRecord[]> {
    const keys = new Set(batch.map(({ key }) => key));
    for (const key of this.settled.keys()) if (!keys.has(key)) this.settled.delete(key);
    const quietMs = Math.ceil(this.quietUntilMs - this.clock.monotonicMs());
    if (quietMs > 0) throw new Error(`the receiver asked to be left alone for ${quietMs} ms more`);
    try {
      await this.deliver(batch, signal);
    } catch (error) {
      this.status = 'failing';
      if (error instanceof ReceiverBusy && error.retryAfterMs !== undefined)
        this.quietUntilMs = this.clock.monotonicMs() + Math.min(error.retryAfterMs, RETRY_AFTER_MAX_MS);
      throw error;
    }
    this.status = 'well';
    const { settled } = this;
    this.settled = new Map();
    return batch.flatMap((record) => {
      const reason = settled.get(record.key);
      return reason === undefined ? [] : [{ record, reason }];
    });
  }

  state(): DestinationState {
    return { status: this.status };
  }

  async close(): Promise<void> {
    await this.protocol.close();
  }

  private async deliver(batch: readonly ExportRecord[], signal: AbortSignal): Promise<void> {
    const settle: Settle = {
      delivered: (rendered) => rendered.forEach(({ record }) => this.settled.set(record.key, undefined)),
      refused: (rendered, reason) => rendered.forEach(({ record }) => this.settled.set(record.key, reason)),
    };
    const isOpen = ({ record }: Rendered) => !this.settled.has(record.key);
    const rendered = this.render(batch);
    await this.protocol.resume?.(rendered.filter(isOpen), settle, signal);
    const parts: (readonly Rendered[])[] = partsOf(rendered.filter(isOpen), this.bodyBytesMax);
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      parts.unshift(...(await this.protocol.post(part, settle, signal)));
    }
    await this.protocol.finish?.(settle, signal);
    // A receiver that forgot a record must not pass for one that took it.
    const forgotten = rendered.filter(isOpen).length;
    if (forgotten > 0) throw new Error(`${forgotten} records of the batch are not acknowledged`);
  }

  /** A record that comes twice in a batch is sent once. One that has no text, or too much, is refused here. */
  private render(batch: readonly ExportRecord[]): Rendered[] {
    const unlike = new Map(batch.map((record) => [record.key, record]));
    const all: Rendered[] = [];
    for (const record of unlike.values()) {
      if (this.settled.has(record.key)) continue;
      const rendered = this.renderOne(record);
      if (typeof rendered === 'string') this.settled.set(record.key, rendered);
      else all.push(rendered);
    }
    return all;
  }

  private renderOne(record: ExportRecord): Rendered | string {
    let text: string;
    try {
      text = this.protocol.render(record);
    } catch (error) {
      return `cannot be written in the receiver's format (${error instanceof Error ? error.name : 'unknown'})`;
    }
    const bytes = Buffer.byteLength(text);
    if (bytes > this.bodyBytesMax) return `its ${bytes} bytes exceed bodyBytesMax (${this.bodyBytesMax})`;
    return { record, text, bytes };
  }
}
