import { checkFilterBounds } from './scim-filter.js';
import {
  coerced,
  ENTERPRISE_SCHEMA,
  GROUP_SCHEMA,
  isInherited,
  isManaged,
  isObject,
  isTrue,
  managerOf,
  spelled,
  USER_SCHEMA,
} from './scim-attributes.js';
import { ScimError } from './scim-error.js';

const OPERATIONS_MAX = 1_000;
const VERBS = ['add', 'remove', 'replace'] as const;
const MANAGER = `${ENTERPRISE_SCHEMA}:manager`;

/** One change of a PATCH in the one form that the library reads as the RFC means it: with a path, and in our spelling. */
export interface Operation {
  readonly op: (typeof VERBS)[number];
  readonly path: string;
  readonly value?: unknown;
}

/**
 * Reads the body of a PATCH as Okta and Entra send it: operations without a path, with capitals, with keys that are
 * paths themselves, with booleans as text.
 * @throws ScimError 400 that says what cannot be read
 * @see RFC 7644 section 3.5.2
 */
export function operationsOf(body: unknown): Operation[] {
  const list = isObject(body) ? body[Object.keys(body).find((key) => key.toLowerCase() === 'operations') ?? ''] : null;
  if (!Array.isArray(list) || list.length === 0) throw invalid('send Operations, one at least', 'invalidSyntax');
  if (list.length > OPERATIONS_MAX) throw invalid(`${OPERATIONS_MAX} operations at most`, 'tooMany');
  return list.flatMap((each: unknown) => (isObject(each) ? expanded(each) : refuse('an operation is an object')));
}

function expanded(given: Record<string, unknown>): Operation[] {
  const op = VERBS.find((verb) => typeof given['op'] === 'string' && given['op'].trim().toLowerCase() === verb);
  if (op === undefined) throw invalid('op is add, remove or replace', 'invalidSyntax');
  const { path, value } = given;
  if (path !== undefined && path !== null && typeof path !== 'string') return refuse('path is text');
  const at = withoutCore((path ?? '').trim());
  if (at !== '' && at.toLowerCase() !== ENTERPRISE_SCHEMA.toLowerCase()) return single(op, pathOf(at), value);
  if (op === 'remove' && at === '') throw invalid('remove needs a path', 'noTarget');
  if (op === 'remove') return [{ op, path: ENTERPRISE_SCHEMA }];
  if (!isObject(value)) return refuse('without a path, value is an object of attributes');
  const members = at === '' ? Object.entries(value) : [[ENTERPRISE_SCHEMA, value] as const];
  return members.flatMap(([key, member]) => ofMember(op, key, member));
}

/** A member of a value without a path is what its key is the path of. */
function ofMember(op: 'add' | 'replace', key: string, member: unknown): Operation[] {
  const name = withoutCore(key);
  if (name === '')
    return isObject(member) ? Object.entries(member).flatMap(([sub, each]) => ofMember(op, sub, each)) : [];
  if (spelled(name) === ENTERPRISE_SCHEMA) {
    if (!isObject(member)) return refuse('an extension is an object');
    return Object.entries(member).flatMap(([sub, each]) => single(op, pathOf(`${ENTERPRISE_SCHEMA}:${sub}`), each));
  }
  // Whoever sends a whole resource sends what is ours to say as well; only a path means to change it.
  return isManaged(spelled(name)) || isInherited(name) ? [] : single(op, pathOf(name), member);
}

function single(op: Operation['op'], path: string, value: unknown): Operation[] {
  const name = /^[^.[]+/.exec(path)?.[0] ?? path;
  if (name === 'password') return [];
  if (isManaged(name)) throw invalid(`${name} cannot be changed`, 'mutability', 'WDR_SCIM_PATCH_INVALID');
  if (path === 'active') return [{ op: 'replace', path, value: op !== 'remove' && isTrue(value) }];
  if (op === 'remove') return removals(path, value);
  if (value === undefined) return refuse(`${op} needs a value`);
  const kept = path === MANAGER ? managerOf(value) : value;
  if (kept === null || (path === MANAGER && kept === '')) return [{ op: 'remove', path }];
  return [{ op, path, value: coerced(name, kept) }];
}

/** Entra removes items of a list by a list of values, of which it knows nothing but `value`. */
function removals(path: string, value: unknown): Operation[] {
  if (value === undefined || value === null || path === 'members') return [{ op: 'remove', path, value }];
  const items = (Array.isArray(value) ? value : [value]) as unknown[];
  return items.map((item) => {
    const text = isObject(item) ? item['value'] : item;
    if (typeof text !== 'string' || /["\\]/.test(text)) return refuse('remove takes items with a value');
    return { op: 'remove', path: `${path}[value eq ${JSON.stringify(text)}]` };
  });
}

/** A path with what we know of it spelled so; what reaches into every object's own members is none. */
function pathOf(text: string): string {
  checkFilterBounds(text, 'invalidPath');
  if (text.split(/[^\w$-]+/).some(isInherited))
    throw invalid('no such attribute', 'invalidPath', 'WDR_SCIM_PATCH_INVALID');
  const isEnterprise = text.toLowerCase().startsWith(`${ENTERPRISE_SCHEMA.toLowerCase()}:`);
  if (isEnterprise) {
    const rest = text.slice(ENTERPRISE_SCHEMA.length + 1);
    return `${ENTERPRISE_SCHEMA}:${rest.toLowerCase() === 'manager' ? 'manager' : rest}`;
  }
  // Entra chooses by text what is kept as a boolean.
  const flags = text.replace(
    /\b(primary eq )"(true|false)"/gi,
    (_, words: string, flag: string) => words + flag.toLowerCase(),
  );
  return flags.replace(/^[^.[]+/, spelled);
}

function withoutCore(text: string): string {
  const lower = text.toLowerCase();
  const schema = [USER_SCHEMA, GROUP_SCHEMA].find(
    (urn) => lower === urn.toLowerCase() || lower.startsWith(`${urn.toLowerCase()}:`),
  );
  return schema === undefined ? text : text.slice(schema.length + 1);
}

function invalid(
  message: string,
  scimType: ConstructorParameters<typeof ScimError>[3],
  code: `WDR_${string}` = 'WDR_BODY_INVALID',
): ScimError {
  return new ScimError(400, code, message, scimType);
}

function refuse(message: string): never {
  throw invalid(message, 'invalidValue');
}
