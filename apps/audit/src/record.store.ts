import { createHash } from 'node:crypto';
import type { Bus, RawMessage } from '@warder/bus';
import { auditDeadLetterTopic, auditRecordedTopic } from '@warder/contracts';
import { copyIn, StoreError, withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';
import { ADD_USES, countedUses } from './counted-uses.js';
import { INSERT_RECORDS } from './insert-records.js';
import { jsonArray } from './json-array.js';
import { COPY_RECORDS, isPlain, recordCopy } from './record-copy.js';
import type { RecordRow, RecordSink } from './store-batch.js';

const UNIQUE_VIOLATION = '23505';
/** Bytes of a message that its dead letter holds: as base64 they stay below what that topic takes. */
const LETTER_BYTES_MAX = auditRecordedTopic.messageBytesMax;
/** UTF-16 units of a key that a dead letter names. */
const LETTER_KEY_MAX = 1_024;

/** Writes records, and what is none. Errors leave it without parameters, for those are what was recorded. */
export class RecordStore implements RecordSink {
  /** Whether the last batch held something that was stored before: what is read again is read again for a while. */
  private isReadAgain = false;

  constructor(
    private readonly source: DataSource,
    private readonly bus: Bus,
    private readonly wallMs: () => number,
  ) {}

  /**
   * All of them as if they were new, for that is what they nearly always are; where one is stored already the primary key
   * refuses them all, and they are sent again by the statement that passes over what is there.
   */
  async insert(rows: readonly RecordRow[]): Promise<number> {
    if (!this.isReadAgain && rows.every(({ columns }) => isPlain(columns))) {
      try {
        await this.copy(rows);
        return rows.length;
      } catch (error) {
        if (!(error instanceof StoreError && error.sqlState === UNIQUE_VIOLATION)) throw error;
      }
    }
    const stored = await this.insertUnknown(rows);
    this.isReadAgain = stored < rows.length;
    return stored;
  }

  /** @throws StoreError 23505 where a record is there already; then nothing is stored or counted */
  private copy(rows: readonly RecordRow[]): Promise<void> {
    return withStore(() =>
      this.source.transaction(async (manager) => {
        await copyIn(manager, COPY_RECORDS, recordCopy(rows));
        await manager.query(ADD_USES, [countedUses(rows)]);
      }),
    );
  }

  private async insertUnknown(rows: readonly RecordRow[]): Promise<number> {
    const columns = JSON.stringify(rows.map((row) => row.columns));
    const texts = jsonArray(rows.map(({ message }) => message.value));
    const [row] = await withStore<[{ stored: number }]>(() => this.source.query(INSERT_RECORDS, [columns, texts]));
    return row.stored;
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
    // A letter that no topic takes would be tried for ever, and its partition stand still.
    const held = value.length > LETTER_BYTES_MAX ? '' : value.toString('base64');
    const named = key?.slice(0, LETTER_KEY_MAX) ?? null;
    const letter = { topic, partition, offset, key: named, value: held, reason, atMs };
    await this.bus.publish(auditDeadLetterTopic, named ?? id, letter);
  }
}
