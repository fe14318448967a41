import { isObject } from '../era.js';
import { encodeHeaderValue } from '../header-value.js';
import { LosslessNumber } from '../json.js';

/** One argument that a call repeats in the header `Mcp-Param-<name>`. */
export interface ParamHeader {
  readonly path: readonly string[];
  readonly name: string;
}

const ANNOTATION = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);
const SCHEMA_DEPTH_MAX = 64;
const PARAMS_MAX = 32;

// Where a schema may hold others that no chain of `properties` reaches; an annotation in there makes the tool invalid.
const SINGLE = [
  'items',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'propertyNames',
];
const BRANCHES = [...SINGLE, 'prefixItems', 'oneOf', 'anyOf', 'allOf', 'not', 'if', 'then', 'else'];
const NAMED = ['patternProperties', 'dependentSchemas', '$defs', 'definitions'];

/**
 * The arguments of a tool that its calls must repeat in headers.
 * @returns undefined if an annotation breaks a rule: such a tool must be left out on HTTP
 * @see MCP 2026-07-28, streamable HTTP, "Custom Headers" (SEP-2243)
 */
export function readParamHeaders(inputSchema: unknown): readonly ParamHeader[] | undefined {
  const found: ParamHeader[] = [];
  if (!visit(inputSchema, [], true, found) || found.length > PARAMS_MAX) return undefined;
  return new Set(found.map(({ name }) => name.toLowerCase())).size === found.length ? found : undefined;
}

/** The headers of one call as a flat name-value list; arguments that are absent, null or no primitive are left out. */
export function paramHeaderList(headers: readonly ParamHeader[], args: unknown): string[] {
  const list: string[] = [];
  for (const { path, name } of headers) {
    let value = args;
    for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    const text = primitiveText(value);
    if (text !== undefined) list.push(`mcp-param-${name.toLowerCase()}`, encodeHeaderValue(text));
  }
  return list;
}

/**
 * The schema as agents see it: what a call repeats in headers is between us and the upstream. An agent's client that
 * read the annotation would send headers that nobody compares with its arguments.
 */
export function withoutParamHeaders(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutParamHeaders);
  if (!isObject(schema)) return schema;
  // Only the annotation is text: a property may bear its name, and is a schema.
  const kept = Object.entries(schema).filter(([key, value]) => key !== ANNOTATION || typeof value !== 'string');
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutParamHeaders(value)]));
}

function primitiveText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  return value instanceof LosslessNumber ? value.text : undefined;
}

function visit(schema: unknown, path: readonly string[], isReachable: boolean, found: ParamHeader[]): boolean {
  if (!isObject(schema)) return true;
  if (path.length > SCHEMA_DEPTH_MAX) return false;
  if (Object.hasOwn(schema, ANNOTATION)) {
    const name = schema[ANNOTATION];
    if (!isReachable || path.length === 0 || !TYPES.has(schema['type'])) return false;
    if (typeof name !== 'string' || !TOKEN.test(name)) return false;
    found.push({ path, name });
  }
  const { properties } = schema;
  if (isObject(properties)) {
    for (const [key, child] of Object.entries(properties)) {
      if (!visit(child, [...path, key], isReachable, found)) return false;
    }
  }
  return hidden(schema).every((child) => visit(child, [...path, ''], false, found));
}

function hidden(schema: Record<string, unknown>): unknown[] {
  const single = BRANCHES.flatMap((keyword) => schema[keyword] ?? []);
  const named = NAMED.flatMap((keyword) => (isObject(schema[keyword]) ? Object.values(schema[keyword]) : []));
  return [...single, ...named];
}
