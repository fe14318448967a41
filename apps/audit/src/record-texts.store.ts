import { withStore } from '@warder/postgres';
import type { DataSource } from 'typeorm';
import type { RecordKey } from './archive/cold.store.js';
import { dayOf, partitionOf } from './partition.store.js';

/**
 * Texts of records by id; those that Postgres does not hold are absent. Each day's partition is named, for to plan over
 * all of them costs more than to read a page's samples.
 */
export async function recordTexts(source: DataSource, keys: readonly RecordKey[]): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map();
  try {
    return await readTexts(source, keys);
  } catch (error) {
    // 42P01 undefined_table: a day left Postgres between the two statements.
    if ((error as { sqlState?: string }).sqlState !== '42P01') throw error;
    return readTexts(source, keys);
  }
}

async function readTexts(source: DataSource, keys: readonly RecordKey[]): Promise<Map<string, string>> {
  const held = await heldPartitions(source, [...new Set(keys.map(({ atMs }) => partitionOf(dayOf(atMs))))]);
  const idsOf = new Map<string, string[]>();
  for (const { id, atMs } of keys) {
    const named = partitionOf(dayOf(atMs));
    const partition = held.has(named) ? named : 'call_record_default';
    const ids = idsOf.get(partition) ?? [];
    ids.push(id);
    idsOf.set(partition, ids);
  }
  const selects = [...idsOf.keys()].map(
    (partition, i) =>
      `SELECT record_id AS id, record::text AS text FROM ${partition} WHERE record_id = ANY($${i + 1}::uuid[])`,
  );
  const rows = await withStore<{ id: string; text: string }[]>(() =>
    source.query(selects.join(' UNION ALL '), [...idsOf.values()]),
  );
  return new Map(rows.map(({ id, text }) => [id, text]));
}

async function heldPartitions(source: DataSource, names: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await withStore<{ name: string }[]>(() =>
    source.query('SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL', [names]),
  );
  return new Set(rows.map(({ name }) => name));
}
