import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
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
  /** False where it broke, or whoever took it hung up before the end. */
  readonly isWhole: boolean;
  /** What broke it. */
  readonly failure?: unknown;
}

/** A piece of what is handed out, and how many records it holds. */
export interface ExportedPiece {
  readonly text: string;
  readonly records: number;
  /** Why this piece, which says so, is the last one before the end. */
  readonly failure?: unknown;
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
 * The texts of the pieces as a stream, counted as they leave.
 * @param ended - called once, however the stream ends, and where nobody ever read of it too
 */
export function countedStream(pieces: AsyncIterable<ExportedPiece>, ended: (amount: ExportedAmount) => void): Readable {
  const hash = createHash('sha256');
  const counts = { records: 0, bytes: 0 };
  let isWhole = false;
  let failure: unknown;
  async function* texts(): AsyncGenerator<string> {
    try {
      for await (const piece of pieces) {
        hash.update(piece.text);
        counts.bytes += Buffer.byteLength(piece.text);
        counts.records += piece.records;
        failure ??= piece.failure;
        yield piece.text;
      }
      isWhole = failure === undefined;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  const stream = Readable.from(texts(), { objectMode: false });
  // Not a `finally` of the generator: whoever hangs up before the first byte was read never lets it begin.
  stream.once('close', () => ended({ ...counts, sha256: hash.digest('hex'), isWhole, failure }));
  return stream;
}

function lineOf(text: string, format: 'ndjson' | 'csv'): string {
  if (format === 'csv') return csvLine(parseJson(text) as AuditRecord, stringifyJson);
  return `${text}\n`;
}
