import { createHash } from 'node:crypto';
import type { Bus, RawMessage } from '@warder/bus';
import { auditDeadLetterTopic, auditRecordedTopic } from '@warder/contracts';
import { StoreError, withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';
import { INSERT_NEW_RECORDS, INSERT_RECORDS } from './insert-records.js';
import { jsonArray } from './json-array.js';
import { columnsOf } from './record-columns.js';
import type { RecordRow, RecordSink } from './store-batch.js';

const UNIQUE_VIOLATION = '23505';

/** Writes records, and what is none. Errors leave it without parameters, for those are what was recorded. */
export class RecordStore implements RecordSink {
  /** Whether the last batch held something that was stored before: what is read again is read again for a while. */
  private isReadAgain = false;

  constructor(
    private readonly source: DataSource,
    private readonly bus: Bus,
    private readonly wallMs: () => number,
  ) {}

  async insert(rows: readonly RecordRow[]): Promise<number> {
    const columns = JSON.stringify(rows.map(({ record }) => columnsOf(record)));
    const texts = jsonArray(rows.map(({ message }) => message.value));
    const storedBy = async (statement: string): Promise<number> => {
      const [row] = await withStore<[{ stored: number }]>(() => this.source.query(statement, [columns, texts]));
      return row.stored;
    };
    if (!this.isReadAgain) {
      try {
        return await storedBy(INSERT_NEW_RECORDS);
      } catch (error) {
        if (!(error instanceof StoreError && error.sqlState === UNIQUE_VIOLATION)) throw error;
      }
    }
    const stored = await storedBy(INSERT_RECORDS);
    this.isReadAgain = stored < rows.length;
    return stored;
  }

  faultOf(error: unknown): string | undefined {
    if (!(error instanceof StoreError)) return undefined;
    // Class 22 is a data exception (a NUL, half a surrogate pair, a time out of range), 23 a constraint on a value, 54 a
    // limit that a value passes (a name that no index row holds).
    return /^(?:2[23]|54)/.test(error.sqlState ?? '') ? `the store refused it: SQLSTATE ${error.sqlState}` : undefined;
  }

  async quarantine(message: RawMessage, reason: string, topic = auditRecordedTopic.name): Promise<void> {
    const { partition, offset, key, value } = message;
    const atMs = this.wallMs();
    const id = createHash('sha256').update(`${topic}/${partition}/${offset}/`).update(value).digest('hex');
    await withStore(() =>
      this.source.query(
        `INSERT INTO quarantine (id, topic, partition, "offset", key, value, reason, quarantined_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::numeric / 1000.0)) ON CONFLICT DO NOTHING`,
        [id, topic, partition, offset, key?.replaceAll('\0', '\ufffd') ?? null, value, reason, atMs],
      ),
    );
    const letter = { topic, partition, offset, key, value: value.toString('base64'), reason, atMs };
    await this.bus.publish(auditDeadLetterTopic, key ?? id, letter);
  }
}
