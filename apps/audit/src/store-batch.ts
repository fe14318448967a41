import type { RawMessage } from '@warder/bus';
import { readRecord } from './readable-record.js';
import { columnsOf, type RecordColumns } from './record-columns.js';

/** Where records and what is none go. */
export interface RecordSink {
  /**
   * Stores records; answers how many were new.
   * @throws an error that `faultOf` tells apart from an outage
   */
  insert(rows: readonly RecordRow[]): Promise<number>;
  /** The reason why the store refuses these very rows, or `undefined` where it failed for another reason. */
  faultOf(error: unknown): string | undefined;
  /** Keeps a message that is no record, as the bytes that came. */
  quarantine(message: RawMessage, reason: string): Promise<void>;
}

/** What became of a batch. */
export interface StoredBatch {
  readonly stored: number;
  readonly known: number;
  readonly quarantined: number;
}

/** A record's columns and the message whose bytes are its text. */
export interface RecordRow {
  readonly columns: RecordColumns;
  readonly message: RawMessage;
}

/** A batch that was read and is not stored yet. */
export interface ReadBatch {
  readonly rows: readonly RecordRow[];
  readonly unreadable: readonly { readonly message: RawMessage; readonly reason: string }[];
}

/** Messages that are read between two looks at what else waits: a few milliseconds. */
const READ_AT_ONCE = 256;

/** Reads messages; what else the process has to do goes on in between. */
export async function readBatch(batch: readonly RawMessage[]): Promise<ReadBatch> {
  const rows: RecordRow[] = [];
  const unreadable: { message: RawMessage; reason: string }[] = [];
  for (const [n, message] of batch.entries()) {
    if (n % READ_AT_ONCE === READ_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    const read = readRecord(message.value);
    if ('record' in read) rows.push({ columns: columnsOf(read.record), message });
    else unreadable.push({ message, reason: read.reason });
  }
  return { rows, unreadable };
}

/**
 * Stores what was read. A row that the store refuses is found by halving and set aside, so that it cannot keep the others
 * out; whatever else fails is thrown, and the batch comes again.
 */
export async function storeRead({ rows, unreadable }: ReadBatch, sink: RecordSink): Promise<StoredBatch> {
  for (const { message, reason } of unreadable) await sink.quarantine(message, reason);
  const inserted = await insertRows(rows, sink);
  const quarantined = unreadable.length + inserted.refused;
  return { stored: inserted.stored, known: rows.length - inserted.refused - inserted.stored, quarantined };
}

/** Reads and stores a batch of messages. */
export async function storeBatch(batch: readonly RawMessage[], sink: RecordSink): Promise<StoredBatch> {
  return storeRead(await readBatch(batch), sink);
}

async function insertRows(rows: readonly RecordRow[], sink: RecordSink): Promise<{ stored: number; refused: number }> {
  if (rows.length === 0) return { stored: 0, refused: 0 };
  try {
    return { stored: await sink.insert(rows), refused: 0 };
  } catch (error) {
    const fault = sink.faultOf(error);
    if (fault === undefined) throw error;
    if (rows.length === 1) {
      await sink.quarantine(rows[0]!.message, fault);
      return { stored: 0, refused: 1 };
    }
    const middle = Math.ceil(rows.length / 2);
    const first = await insertRows(rows.slice(0, middle), sink);
    const second = await insertRows(rows.slice(middle), sink);
    return { stored: first.stored + second.stored, refused: first.refused + second.refused };
  }
}
