import { ScimError } from './scim-error.js';

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ENTERPRISE_SCHEMA = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/** Bytes of one resource without its members, as JSON. */
export const RESOURCE_BYTES_MAX = 65_536;
const DEPTH_MAX = 10;

/** What a resource says of itself, without what the server manages. */
export type Attributes = Record<string, unknown>;

/** The attributes whose spelling we know: names mean the same in whatever case. @see RFC 7643 section 2.1 */
const KNOWN = new Map(
  `id meta schemas externalId userName name displayName nickName profileUrl title userType preferredLanguage locale
  timezone active password emails phoneNumbers ims photos addresses groups entitlements roles x509Certificates members
  ${USER_SCHEMA} ${GROUP_SCHEMA} ${ENTERPRISE_SCHEMA}`
    .split(/\s+/)
    .map((name) => [name.toLowerCase(), name]),
);

/** Ours to say. A password is nobody's to keep here, and `groups` of a user follow from the groups. */
const MANAGED = new Set(['id', 'meta', 'schemas', 'groups', 'password', USER_SCHEMA, GROUP_SCHEMA]);

/** The spelling of a name that we know; every other name as it is. */
export function spelled(name: string): string {
  return KNOWN.get(name.toLowerCase()) ?? name;
}

export function isManaged(name: string): boolean {
  return MANAGED.has(name);
}

/** Whether every object has a member of that name: what is written there is written to all of them, or hides one. */
export function isInherited(name: string): boolean {
  return name in Object.prototype || name === 'prototype';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The attributes of a body, in the form in which they are kept: known names spelled as the RFC does, string booleans
 * as booleans, a manager as an object; unknown attributes as they are. Fails closed on `active`: where it is said at
 * all, in however many spellings, anything that is not `true` is `false`.
 * @throws ScimError 400 for what is no resource, or nested or long past the bounds
 */
export function attributesOf(body: unknown): Attributes {
  if (!isObject(body)) throw new ScimError(400, 'WDR_BODY_INVALID', 'send one resource as an object', 'invalidSyntax');
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(body)) {
    const name = spelled(key);
    if (isManaged(name) || isInherited(name)) continue;
    if (name === 'active') attributes[name] = attributes[name] !== false && isTrue(value);
    else if (value !== null) attributes[name] = coerced(name, value);
  }
  return attributes;
}

/**
 * A value as it is kept, whatever its sender made of the RFC's types.
 * @throws ScimError 400 where it is nested too deep
 */
export function coerced(name: string, value: unknown): unknown {
  if (name === ENTERPRISE_SCHEMA && isObject(value)) {
    const manager = Object.keys(value).find((key) => key.toLowerCase() === 'manager');
    return cleaned(manager === undefined ? value : { ...value, [manager]: managerOf(value[manager]) }, 0);
  }
  return cleaned(value, 0);
}

/** Entra sends the manager's id alone. */
export function managerOf(value: unknown): unknown {
  const [only, ...others] = Array.isArray(value) ? (value as unknown[]) : [value];
  if (others.length > 0) return value;
  return typeof only === 'string' && only !== '' ? { value: only } : only;
}

/** Literally true, or what Entra sends for it: `"True"`, or one of them in a list. */
export function isTrue(value: unknown): boolean {
  const [only, ...others] = Array.isArray(value) ? (value as unknown[]) : [value];
  const plain = isObject(only) && Array.isArray(value) ? only['value'] : only;
  return others.length === 0 && (plain === true || (typeof plain === 'string' && plain.toLowerCase() === 'true'));
}

/** @throws ScimError 413 where the resource is too long to be kept */
export function checkLength(attributes: Attributes): void {
  if (Buffer.byteLength(JSON.stringify(attributes)) <= RESOURCE_BYTES_MAX) return;
  throw new ScimError(413, 'WDR_BODY_TOO_LARGE', `a resource has ${RESOURCE_BYTES_MAX} bytes at most`);
}

function cleaned(value: unknown, depth: number): unknown {
  if (depth > DEPTH_MAX) throw new ScimError(400, 'WDR_BODY_INVALID', 'nested too deep', 'invalidValue');
  if (Array.isArray(value)) return value.map((item) => cleaned(item, depth + 1));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key, member]) => !isInherited(key) && member !== null);
  return Object.fromEntries(kept.map(([key, member]) => [key, booleanOf(key, cleaned(member, depth + 1))]));
}

function booleanOf(key: string, value: unknown): unknown {
  return key.toLowerCase() === 'primary' && typeof value === 'string' ? value.toLowerCase() === 'true' : value;
}
