import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { startEmbeddedPostgres } from '@warder/postgres';
import pg from 'pg';

/** Something that rests somewhere, as bytes that a search can read. */
export interface AtRest {
  readonly place: string;
  readonly bytes: Buffer;
}

const CONTEXT_BYTES = 80;
const HEAD_LENGTH = 6;
const BATCH_HEADER_BYTES = 61;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Every file of a stopped Warder, byte for byte; of a database that had to move, there. */
export function* filesAtRest(dir: string): Generator<AtRest> {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    yield { place: relative(dir, path), bytes: readFileSync(path) };
    if (entry.name === 'LOCATION') yield* filesAtRest(readFileSync(path, 'utf8').trim());
  }
}

/**
 * Every record batch of Kafka's segments, decompressed.
 * @throws Error for a codec that this does not read
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
export function* kafkaBatchesAtRest(dir: string): Generator<AtRest & { readonly isCompressed: boolean }> {
  for (const { place, bytes } of filesAtRest(dir)) {
    if (!/\d{20}\.log$/.test(place)) continue;
    for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length;) {
      const end = at + 12 + bytes.readInt32BE(at + 8);
      if (bytes.readInt8(at + 16) !== 2) throw new Error(`${place}: no batch at ${at}`);
      const codec = CODECS[bytes.readInt16BE(at + 21) & 7];
      const records = bytes.subarray(at + BATCH_HEADER_BYTES, end);
      if (codec !== 'none' && codec !== 'gzip') throw new Error(`${place}: compressed by ${codec}`);
      yield { place, bytes: codec === 'gzip' ? gunzipSync(records) : records, isCompressed: codec === 'gzip' };
      at = end;
    }
  }
}

/** Every row of every table of a stopped database, as text; what is too long for a page lies compressed in its files. */
export async function rowsAtRest(dataDir: string): Promise<AtRest[]> {
  if (!existsSync(dataDir)) throw new Error(`no database in ${dataDir}`);
  const postgres = await startEmbeddedPostgres({ dataDir });
  const client = new pg.Client({ connectionString: postgres.url });
  try {
    await client.connect();
    // Bytes as their characters, or a text in them would look like hex digits.
    await client.query("SET bytea_output = 'escape'");
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    const found: AtRest[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      found.push({ place: name, bytes: Buffer.from(rows.map(({ row }) => row).join('\n')) });
    }
    return found;
  } finally {
    await client.end();
    await postgres.stop();
  }
}

/** Wherever any of the texts stands, each with what stands around it. */
export function placesOf(texts: readonly string[], resting: Iterable<AtRest>): string[] {
  // Secrets of one kind begin alike: the bytes are gone through once for each beginning.
  const byHead = new Map<string, Buffer[]>();
  for (const text of texts) {
    const head = text.slice(0, HEAD_LENGTH);
    byHead.set(head, [...(byHead.get(head) ?? []), Buffer.from(text)]);
  }
  const found: string[] = [];
  for (const { place, bytes } of resting) {
    for (const [head, alike] of byHead) {
      for (let at = bytes.indexOf(head); at >= 0; at = bytes.indexOf(head, at + 1)) {
        if (!alike.some((text) => bytes.subarray(at, at + text.length).equals(text))) continue;
        const around = bytes.toString('latin1', Math.max(0, at - CONTEXT_BYTES), at + CONTEXT_BYTES);
        found.push(`${place}: ${around.replaceAll(/[^ -~]/g, '.')}`);
      }
    }
  }
  return found;
}
