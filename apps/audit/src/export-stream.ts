import { createHash } from 'node:crypto';
import type { AuditCallsQuery, AuditRecord } from '@warder/contracts';
import { parseJson, stringifyJson } from '@warder/mcp-wire';
import type { CallPages } from './call-pages.store.js';
import { encodeCursor } from './page-cursor.js';
import { CSV_HEAD, csvLine } from './csv-line.js';

const PAGE_RECORDS = 500;

/** What was handed out when a stream ended. */
export interface ExportedAmount {
  readonly records: number;
  readonly bytes: number;
  /** SHA-256 (hex) of all that was handed out. */
  readonly sha256: string;
}

/**
 * All records that the query asks for, newest first, as NDJSON (each line a record's exact text) or CSV, a page at a
 * time: the whole is never held, and the database sees no transaction that is longer than a page.
 * @param ended - called once, however the stream ends
 */
export async function* exportedText(
  pages: CallPages,
  query: AuditCallsQuery,
  format: 'ndjson' | 'csv',
  ended: (amount: ExportedAmount) => void,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  let records = 0;
  let bytes = 0;
  const counted = (text: string): string => {
    hash.update(text);
    bytes += Buffer.byteLength(text);
    return text;
  };
  try {
    if (format === 'csv') yield counted(CSV_HEAD);
    let { cursor } = query;
    do {
      const page = await pages.page({ ...query, limit: PAGE_RECORDS, cursor });
      cursor = page.next === null ? undefined : encodeCursor(page.next);
      if (page.found.length === 0) continue;
      records += page.found.length;
      yield counted(page.found.map(({ text }) => lineOf(text, format)).join(''));
    } while (cursor !== undefined);
  } finally {
    ended({ records, bytes, sha256: hash.digest('hex') });
  }
}

function lineOf(text: string, format: 'ndjson' | 'csv'): string {
  if (format === 'csv') return csvLine(parseJson(text) as AuditRecord, stringifyJson);
  return `${text}\n`;
}
