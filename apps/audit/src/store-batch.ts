import type { RawMessage } from '@warder/bus';
import type { AuditRecord } from '@warder/contracts';
import { readRecord } from './readable-record.js';

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

/** A record and the message whose bytes are its text. */
export interface RecordRow {
  readonly record: AuditRecord;
  readonly message: RawMessage;
}

/**
 * Stores a batch of messages. A row that the store refuses is found by halving and set aside, so that it cannot keep
 * the others out; whatever else fails is thrown, and the batch comes again.
 */
export async function storeBatch(batch: readonly RawMessage[], sink: RecordSink): Promise<StoredBatch> {
  const rows: RecordRow[] = [];
  let quarantined = 0;
  for (const message of batch) {
    const read = readRecord(message.value);
    if ('record' in read) {
      rows.push({ record: read.record, message });
    } else {
      await sink.quarantine(message, read.reason);
      quarantined++;
    }
  }
  const inserted = await insertRows(rows, sink);
  const refused = quarantined + inserted.refused;
  return { stored: inserted.stored, known: batch.length - refused - inserted.stored, quarantined: refused };
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
