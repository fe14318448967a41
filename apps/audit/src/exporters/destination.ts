import type { AuditRecord } from '@warder/contracts';
import type { ExportFormat } from './exporter-settings.js';

/** One audit record on its way out. */
export interface ExportRecord {
  /** Record id: what a receiver can tell a record that comes twice by. */
  readonly key: string;
  /** The record's exact JSON text, to the byte as the topic holds it. */
  readonly text: string;
  readonly record: AuditRecord;
}

/** A record that the receiver will never take, however often it is sent. */
export interface RefusedRecord {
  readonly record: ExportRecord;
  /** One sentence of the receiver or about the record; never a value of the record. */
  readonly reason: string;
}

/** What a destination knows of its receiver. A connect alone is no sign of health: TLS 1.3 refuses a client later. */
export interface DestinationState {
  /** `idle`: nothing was to be sent yet; `well`: the last send was taken; `failing`: the last attempt was not. */
  readonly status: 'idle' | 'well' | 'failing';
}

/**
 * One receiver of records. The runtime hands it one batch at a time, in the order of the partition, and the next one
 * only after this one was taken; it commits offsets after that and does the trying again, the back-off, the lag and the
 * dead letters. So a destination holds no queue and no timer for tries of its own.
 */
export interface Destination {
  /**
   * Sends a batch, within `batchRecordsMax` and `batchBytesMax` of its exporter. Resolves when the receiver has
   * acknowledged everything but what it answers as refused for good. Where a protocol has no acknowledgement (syslog),
   * when everything is written to a connection that is known to be accepted, and it keeps what it must send again.
   * @param signal - fires at `sendTimeoutMs` and when the exporter stops: give up then, and throw
   * @returns the records that the receiver refuses for good; each goes to the dead letters. Mostly none
   * @throws Error of which nothing but the message is shown and logged, without payload and secrets; the same batch,
   * less what earlier tries settled, comes again after a back-off
   */
  send(batch: readonly ExportRecord[], signal: AbortSignal): Promise<readonly RefusedRecord[]>;
  state(): DestinationState;
  /** Lets go of sockets and files. No send is running then, and none comes after. */
  close(): Promise<void>;
}

/** What a destination gets beside its settings. */
export interface DestinationContext {
  /** The exporter's name in the configuration. */
  readonly name: string;
  /** This process's node, for receivers that want a sender. */
  readonly node: string;
  readonly format: ExportFormat;
  readonly clock: { wallMs(): number; monotonicMs(): number };
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}
