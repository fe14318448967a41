import type { SealedRow, SealedRows } from './rewrap-all.js';
import type { SealContext } from './secret-store.js';

/** A column of a database that holds sealed values, as its comment says. */
export interface SealedColumn {
  readonly schema: string;
  readonly relation: string;
  readonly attribute: string;
  /** Of the context of its values. */
  readonly table: string;
  readonly column: string;
  /** Columns of the same row. */
  readonly row: string;
  readonly generation: string;
  /** By which rows are told apart: several may hold values of one place. */
  readonly key: string;
}

/** One statement with its parameters; the rows of its answer. */
export type Query = (sql: string, parameters: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;

const COMMENT = /^sealed table=(\w+) column=(\w+) row=(\w+) generation=(\w+) key=(\w+)$/;

/**
 * The comment by which a column says that its values are sealed, to be written by the migration that makes it:
 * `COMMENT ON COLUMN x.y IS '...'`. By it they are found for a turn of the key and for a move to another store.
 */
export function sealedComment(sealed: Pick<SealedColumn, 'table' | 'column' | 'row' | 'generation' | 'key'>): string {
  const { table, column, row, generation, key } = sealed;
  return `sealed table=${table} column=${column} row=${row} generation=${generation} key=${key}`;
}

/**
 * Every sealed column that a database knows.
 * @throws Error for a comment that begins as one and cannot be read: its values would be forgotten
 */
export async function sealedColumns(query: Query): Promise<readonly SealedColumn[]> {
  const rows = await query(
    `SELECT n.nspname AS schema, c.relname AS relation, a.attname AS attribute, d.description AS comment
       FROM pg_description d
       JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
       JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
      WHERE d.description LIKE 'sealed %' AND NOT a.attisdropped
      ORDER BY 1, 2, 3`,
    [],
  );
  return rows.map((found) => {
    const [schema, relation, attribute] = [String(found.schema), String(found.relation), String(found.attribute)];
    const [, table = '', column = '', row = '', generation = '', key = ''] = COMMENT.exec(String(found.comment)) ?? [];
    if (table === '') throw new Error(`the comment of ${schema}.${relation}.${attribute} says "sealed" and not what`);
    return { schema, relation, attribute, table, column, row, generation, key };
  });
}

/** The values of one such column. */
export function sealedRowsOf(sealed: SealedColumn, query: Query): SealedRows<SealContext> {
  const name = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const from = `${name(sealed.schema)}.${name(sealed.relation)}`;
  const [value, row, generation] = [name(sealed.attribute), name(sealed.row), name(sealed.generation)];
  return {
    count: async () => {
      const [counted] = await query(`SELECT count(*)::int AS n FROM ${from} WHERE ${value} IS NOT NULL`, []);
      return Number(counted?.n);
    },
    page: async (after, limit) => {
      // In the key's own type and order, by its index: sorted for each page, many rows would take the database for hours.
      const key = name(sealed.key);
      const rows = await query(
        `SELECT ${key}::text AS id, ${row}::text AS row, ${value} AS sealed, ${generation}::text AS generation FROM ${from}
          WHERE ${value} IS NOT NULL ${after === undefined ? '' : `AND ${key} > $2`} ORDER BY ${key} LIMIT $1`,
        after === undefined ? [limit] : [limit, after],
      );
      return rows.map((found): SealedRow<SealContext> => {
        const { table, column } = sealed;
        const context = { table, column, row: String(found.row), generation: Number(found.generation) };
        return { id: String(found.id), sealed: String(found.sealed), context };
      });
    },
    replace: async ({ sealed: before, context }, after) => {
      const replaced = await query(
        `UPDATE ${from} SET ${value} = $1
          WHERE ${row}::text = $2 AND ${value} = $3 AND ${generation}::text = $4 RETURNING 1 AS n`,
        [after, context.row, before, String(context.generation)],
      );
      return replaced.length > 0;
    },
  };
}
