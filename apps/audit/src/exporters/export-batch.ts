import type { RawMessage } from '@warder/bus';
import { AuditRecord } from '@warder/contracts';
import type { ExportRecord, RefusedRecord } from './destination.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A refused record and where the topic has it. */
export interface Letter extends RefusedRecord {
  readonly message: RawMessage;
}

/** What is left to do of one batch of the bus; it keeps its place over tries. */
export class ExportBatch {
  /** Messages that are no records: the store has them in its quarantine and on its dead-letter topic already. */
  readonly unreadable: number;
  /** Records that were refused and are not on the dead-letter topic yet. */
  readonly letters: Letter[] = [];
  private readonly records: ExportRecord[] = [];
  private readonly messages = new Map<ExportRecord, RawMessage>();
  private next = 0;

  constructor(messages: readonly RawMessage[]) {
    for (const message of messages) {
      const record = readMessage(message);
      if (record === undefined) continue;
      this.records.push(record);
      this.messages.set(record, message);
    }
    this.unreadable = messages.length - this.records.length;
  }

  /** The next records to send, at least one where any is left; the same ones until they are settled. */
  part(recordsMax: number, bytesMax: number): readonly ExportRecord[] {
    let end = this.next;
    for (let bytes = 0; end < this.records.length && end - this.next < recordsMax; end++) {
      bytes += this.bytesOf(this.records[end]!);
      if (bytes > bytesMax && end > this.next) break;
    }
    return this.records.slice(this.next, end);
  }

  /** Notes that the receiver has taken the part, but for what it refused. */
  settle(part: readonly ExportRecord[], refused: readonly RefusedRecord[]): void {
    this.next += part.length;
    for (const { record, reason } of refused)
      this.letters.push({ record, reason, message: this.messages.get(record)! });
  }

  private bytesOf(record: ExportRecord): number {
    return this.messages.get(record)!.value.length;
  }
}

function readMessage({ value }: RawMessage): ExportRecord | undefined {
  let text: string;
  let parsed: unknown;
  try {
    text = utf8.decode(value);
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const read = AuditRecord.safeParse(parsed);
  return read.success ? { key: read.data.recordId, text, record: read.data } : undefined;
}
