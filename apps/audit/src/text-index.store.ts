import { withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';
import { partitionOf } from './partition.store.js';

/** What parts of arguments are looked for in; the index and the filter must say the same. */
export const ARGUMENTS_TEXT = `(record->'personal'->>'arguments')`;
const SUFFIX = '_arguments';
/** Shorter parts have no whole trigram, so the index cannot find them. */
const PART_CHARACTERS_MIN = 3;

/**
 * Trigram indexes over the arguments of closed days. One on a day that is still written to would halve the rate at
 * which records are stored, so today is scanned instead, within a bound.
 */
export class TextIndexStore {
  /** @param patient - a source whose statements may take long */
  constructor(
    private readonly source: DataSource,
    private readonly patient: DataSource,
  ) {}

  /**
   * Builds the index of a closed day that has none, beside whatever is written to the day.
   * @returns whether there was something to build
   */
  async build(day: string): Promise<boolean> {
    const partition = partitionOf(day);
    const [known] = await withStore<{ exists: boolean; valid: boolean | null }[]>(() =>
      this.source.query(
        `SELECT to_regclass($1) IS NOT NULL AS exists,
           (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($2)) AS valid`,
        [partition, partition + SUFFIX],
      ),
    );
    if (known?.exists !== true || known.valid === true) return false;
    await withStore(async () => {
      await this.patient.query('CREATE EXTENSION IF NOT EXISTS pg_trgm');
      // What an interrupted build left is no index, and is in the way of the next one.
      if (known.valid === false) await this.patient.query(`DROP INDEX CONCURRENTLY IF EXISTS ${partition}${SUFFIX}`);
      await this.patient.query(
        `CREATE INDEX CONCURRENTLY ${partition}${SUFFIX} ON ${partition} USING gin (${ARGUMENTS_TEXT} gin_trgm_ops)`,
      );
    });
    return true;
  }

  /** The first moment from which on no index helps to find `part`, ISO 8601; undefined where none helps at all. */
  async scannedFrom(part: string): Promise<string | undefined> {
    if (part.length < PART_CHARACTERS_MIN) return undefined;
    const [newest] = await withStore<{ at: string | null }[]>(() =>
      this.source.query(
        `SELECT to_char(max(to_date(substr(c.relname, 13, 8), 'YYYYMMDD')) + 1, 'YYYY-MM-DD') AS at
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE i.indisvalid AND c.relnamespace = current_schema()::regnamespace
           AND c.relname ~ '^call_record_\\d{8}${SUFFIX}$'`,
      ),
    );
    return newest?.at ? `${newest.at}T00:00:00Z` : undefined;
  }
}
