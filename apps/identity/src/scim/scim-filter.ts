import { filter as testerOf, type Filter, parse } from 'scim2-parse-filter';
import { GROUP_SCHEMA, isObject, USER_SCHEMA } from './scim-attributes.js';
import { ScimError } from './scim-error.js';

const CHARACTERS_MAX = 1_000;
const DEPTH_MAX = 10;

/** Attributes whose text is compared as it is; of all others the case does not count. @see RFC 7643 sections 3.1, 4.1 */
const CASE_EXACT = new Set(['id', 'externalid', 'meta']);
const CORE_PREFIX = new RegExp(`^(?:${USER_SCHEMA}|${GROUP_SCHEMA}):`.replaceAll('.', '\\.'), 'i');

/** An attribute that must equal a text in whatever fits: what an index can find. */
export interface Equality {
  /** In lower case. */
  readonly attribute: string;
  readonly text: string;
}

/** A filter that was read. */
export interface ScimFilter {
  /** Those of which every resource that fits fulfils all; none where the filter is too wide for an index. */
  readonly equalities: readonly Equality[];
  /** Whether it says anything of the attribute, whose name is in lower case. */
  mentions(attribute: string): boolean;
  fits(resource: object): boolean;
}

/**
 * Reads a filter; its values reach the database as parameters and no other way.
 * @throws ScimError 400 invalidFilter
 */
export function readFilter(text: string): ScimFilter {
  checkFilterBounds(text, 'invalidFilter');
  let parsed: Filter;
  try {
    parsed = parse(text);
  } catch {
    throw invalid('the filter cannot be read', 'invalidFilter');
  }
  const folded = foldedFilter(parsed);
  const test = testerOf(folded);
  return {
    equalities: equalitiesOf(folded),
    mentions: (attribute) => text.toLowerCase().includes(attribute),
    fits: (resource) => test(foldedValue(resource, [])),
  };
}

/**
 * What a filter, or a path with one, may have: the library reads both by recursion.
 * @throws ScimError 400
 */
export function checkFilterBounds(text: string, scimType: 'invalidFilter' | 'invalidPath'): void {
  if (text.length > CHARACTERS_MAX) throw invalid(`${CHARACTERS_MAX} characters at most`, scimType);
  let depth = 0;
  for (const bracket of text.replace(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[([\])]/g)) {
    depth += '(['.includes(bracket[0]) ? 1 : -1;
    if (depth > DEPTH_MAX) throw invalid(`nested ${DEPTH_MAX} deep at most`, scimType);
  }
}

function equalitiesOf(filter: Filter): Equality[] {
  if (filter.op === 'and') return filter.filters.flatMap(equalitiesOf);
  if (filter.op === 'eq' && typeof filter.compValue === 'string') {
    return [{ attribute: filter.attrPath.toLowerCase(), text: filter.compValue }];
  }
  if (filter.op !== '[]') return [];
  const within = filter.attrPath.toLowerCase();
  return equalitiesOf(filter.valFilter).map(({ attribute, text }) => ({ attribute: `${within}.${attribute}`, text }));
}

function foldedFilter(filter: Filter, within = ''): Filter {
  switch (filter.op) {
    case 'and':
    case 'or':
      return { ...filter, filters: filter.filters.map((each) => foldedFilter(each, within)) };
    case 'not':
      return { ...filter, filter: foldedFilter(filter.filter, within) };
    case '[]': {
      const attrPath = filter.attrPath.replace(CORE_PREFIX, '');
      return { ...filter, attrPath, valFilter: foldedFilter(filter.valFilter, attrPath) };
    }
    case 'pr':
      return { ...filter, attrPath: filter.attrPath.replace(CORE_PREFIX, '') };
    default: {
      const attrPath = filter.attrPath.replace(CORE_PREFIX, '');
      const [root = ''] = (within === '' ? attrPath : within).toLowerCase().split('.');
      const { compValue } = filter;
      if (typeof compValue !== 'string' || CASE_EXACT.has(root)) return { ...filter, attrPath };
      return { ...filter, attrPath, compValue: isFlag(attrPath) ? flagOf(compValue) : compValue.toLowerCase() };
    }
  }
}

// Entra asks for `active eq "True"`.
function isFlag(attrPath: string): boolean {
  return /^(?:active|(?:.+\.)?primary)$/i.test(attrPath);
}

function flagOf(text: string): string | boolean {
  return /^(?:true|false)$/i.test(text) ? text.toLowerCase() === 'true' : text;
}

function foldedValue(value: unknown, path: readonly string[]): unknown {
  if (typeof value === 'string') return CASE_EXACT.has(path[0] ?? '') ? value : value.toLowerCase();
  if (Array.isArray(value)) return value.map((item) => foldedValue(item, path));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      foldedValue(member, path.length > 0 ? path : [key.toLowerCase()]),
    ]),
  );
}

function invalid(message: string, scimType: 'invalidFilter' | 'invalidPath'): ScimError {
  return new ScimError(400, 'WDR_SCIM_FILTER_INVALID', message, scimType);
}
