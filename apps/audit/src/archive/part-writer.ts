import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DuckDBAppender } from '@duckdb/node-api';
import { type Duck, quoted } from './duck.js';

/** Rows that are compressed together: a look-up of one record reads one such group. */
const ROW_GROUP_ROWS = 20_480;

/** A file as it was written. */
export interface WrittenPart {
  readonly rows: number;
  readonly bytes: number;
  /** SHA-256 (hex) of the rows' `raw_data`, each followed by a line feed, in their order. */
  readonly digest: string;
}

/** Gathers the rows of one file: an event of OCSF and the record's exact text beside it as `raw_data`. */
export class PartWriter {
  private readonly hash = createHash('sha256');
  private rows = 0;

  private constructor(
    private readonly duck: Duck,
    private readonly table: string,
    private readonly structure: string,
    private readonly appender: DuckDBAppender,
  ) {}

  /** @param structure - DuckDB's structure of the event, as JSON; it gives the file's columns and their types */
  static async begin(duck: Duck, table: string, structure: string): Promise<PartWriter> {
    await duck.connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (event VARCHAR, raw_data VARCHAR)`);
    return new PartWriter(duck, table, structure, await duck.connection.createAppender(table));
  }

  get rowCount(): number {
    return this.rows;
  }

  /** @param event - the event's JSON text @param text - the record's */
  add(event: string, text: string): void {
    this.appender.appendVarchar(event);
    this.appender.appendVarchar(text);
    this.appender.endRow();
    this.hash.update(text).update('\n');
    this.rows += 1;
  }

  /**
   * Writes the file beside its place, reads it back, and puts it there once its rows are what was added.
   * @throws Error where they are not
   */
  async finish(path: string): Promise<WrittenPart> {
    this.appender.flushSync();
    this.appender.closeSync();
    const digest = this.hash.digest('hex');
    const unfinished = `${path}.unfinished`;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await this.duck.connection.run(
      `COPY (SELECT unnest(json_transform(event, ${quoted(this.structure)})), raw_data FROM ${this.table})
       TO ${quoted(unfinished)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`,
    );
    await this.duck.connection.run(`DROP TABLE ${this.table}`);
    await synced(unfinished);
    const read = await digestOf(this.duck, unfinished);
    if (read.rows !== this.rows || read.digest !== digest) throw new Error('an archived file does not hold its rows');
    await rename(unfinished, path);
    await synced(dirname(path));
    return { rows: this.rows, bytes: statSync(path).size, digest };
  }
}

/** What a file of the archive holds, read row by row. */
export async function digestOf(duck: Duck, path: string): Promise<{ rows: number; digest: string }> {
  const hash = createHash('sha256');
  let rows = 0;
  for await (const text of texts(duck, `SELECT raw_data FROM read_parquet(${quoted(path)})`)) {
    hash.update(text).update('\n');
    rows += 1;
  }
  return { rows, digest: hash.digest('hex') };
}

/** The exact texts of the records of these files, oldest first. */
export async function* sortedRawDataOf(duck: Duck, paths: readonly string[]): AsyncGenerator<string> {
  if (paths.length === 0) return;
  yield* texts(
    duck,
    `SELECT raw_data FROM read_parquet([${paths.map(quoted).join(', ')}]) ORDER BY time, metadata.uid`,
  );
}

/** The one column of a question's rows. */
export async function* texts(duck: Duck, query: string): AsyncGenerator<string> {
  const result = await duck.connection.stream(query);
  for await (const rows of result.yieldRows()) {
    for (const [text] of rows) yield text as string;
  }
}

async function synced(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
