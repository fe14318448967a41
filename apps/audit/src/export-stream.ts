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

/** A piece of what is handed out, and how many records it holds. */
export interface ExportedPiece {
  readonly text: string;
  readonly records: number;
}

/**
 * All records that the query asks for, newest first, as NDJSON (each line a record's exact text) or CSV, a page at a
 * time: the whole is never held, and the database sees no transaction that is longer than a page.
 */
export async function* exportedPieces(
  pages: CallPages,
  query: AuditCallsQuery,
  format: 'ndjson' | 'csv',
): AsyncGenerator<ExportedPiece> {
  if (format === 'csv') yield { text: CSV_HEAD, records: 0 };
  let { cursor } = query;
  do {
    const page = await pages.page({ ...query, limit: PAGE_RECORDS, cursor });
    cursor = page.next === null ? undefined : encodeCursor(page.next);
    if (page.found.length === 0) continue;
    yield { text: page.found.map(({ text }) => lineOf(text, format)).join(''), records: page.found.length };
  } while (cursor !== undefined);
}

/**
 * The texts of the pieces, counted as they leave.
 * @param ended - called once, however the stream ends
 */
export async function* countedText(
  pieces: AsyncIterable<ExportedPiece>,
  ended: (amount: ExportedAmount) => void,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  let records = 0;
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      hash.update(piece.text);
      bytes += Buffer.byteLength(piece.text);
      records += piece.records;
      yield piece.text;
    }
  } finally {
    ended({ records, bytes, sha256: hash.digest('hex') });
  }
}

function lineOf(text: string, format: 'ndjson' | 'csv'): string {
  if (format === 'csv') return csvLine(parseJson(text) as AuditRecord, stringifyJson);
  return `${text}\n`;
}
