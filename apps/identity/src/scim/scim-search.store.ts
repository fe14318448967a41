import type { EntityManager } from 'typeorm';
import { ScimError } from './scim-error.js';
import type { Equality } from './scim-filter.js';
import type { ListAsked, ScimPage } from './scim-list.js';

const CHUNK = 500;

/** A kind of resource, as it can be searched. Everything here is text of ours; a value is a parameter. */
export interface Searchable {
  readonly table: 'scim_user' | 'scim_group';
  readonly id: 'principal_id' | 'id';
  /** Which rows count. */
  readonly living: string;
  /** By the attribute's name in lower case: the condition with an index behind it, `$n` standing for the value. */
  readonly indexed: Readonly<Record<string, string>>;
  /** How many of what an index leaves may be looked at one by one, for this filter. */
  readonly scannedMax: number;
  /** The resources with these ids. */
  load(manager: EntityManager, ids: readonly string[]): Promise<Record<string, unknown>[]>;
}

/**
 * A page of the resources that fit, in the order of their ids. An equality that has an index narrows; the filter itself
 * is then asked of every resource that is left.
 * @throws ScimError 400 tooMany where too many are left
 */
export async function search(manager: EntityManager, kind: Searchable, asked: ListAsked): Promise<ScimPage> {
  const { where, values } = conditionsOf(kind, asked.filter?.equalities ?? []);
  const [{ total }] = (await manager.query(
    `SELECT count(*)::int AS total FROM ${kind.table} WHERE ${where}`,
    values,
  )) as [{ total: number }];
  const page = async (offset: number, limit: number): Promise<Record<string, unknown>[]> => {
    const rows = (await manager.query(
      `SELECT ${kind.id} AS id FROM ${kind.table} WHERE ${where} ORDER BY ${kind.id} LIMIT ${limit} OFFSET ${offset}`,
      values,
    )) as { id: string }[];
    return rows.length === 0
      ? []
      : kind.load(
          manager,
          rows.map(({ id }) => id),
        );
  };
  const { filter, startIndex, count } = asked;
  if (filter === undefined) return { total, resources: count === 0 ? [] : await page(startIndex - 1, count) };
  if (total > kind.scannedMax) {
    throw new ScimError(
      400,
      'WDR_SCIM_FILTER_BROAD',
      'the filter fits too many; ask for an equality as well',
      'tooMany',
    );
  }
  const found: Record<string, unknown>[] = [];
  for (let offset = 0; offset < total; offset += CHUNK) {
    found.push(...(await page(offset, CHUNK)).filter((resource) => filter.fits(resource)));
  }
  return { total: found.length, resources: found.slice(startIndex - 1, startIndex - 1 + count) };
}

function conditionsOf(
  { living, indexed }: Searchable,
  equalities: readonly Equality[],
): { where: string; values: string[] } {
  const usable = equalities.filter(({ attribute }) => Object.hasOwn(indexed, attribute));
  const conditions = usable.map(({ attribute }, at) => indexed[attribute]!.replaceAll('$n', `$${at + 1}`));
  return { where: [living, ...conditions].join(' AND '), values: usable.map(({ text }) => text) };
}
