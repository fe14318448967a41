import { z } from 'zod';
import type { Principal } from '../principal.entity.js';
import { type Attributes, checkLength, ENTERPRISE_SCHEMA, isObject, USER_SCHEMA } from './scim-attributes.js';
import { ScimError } from './scim-error.js';
import type { ScimUser } from './scim-user.entity.js';

const NAME_CHARACTERS_MAX = 200;
const ID_CHARACTERS_MAX = 400;

/** What a user's attributes say to the rest of Warder. */
export interface UserFacts {
  readonly userName: string;
  readonly externalId: string | null;
  /** All of them, in lower case. */
  readonly emails: string[];
  /** The one that counts, as it was written. */
  readonly email: string | null;
  readonly name: string;
}

/** A user as it is stored. */
export interface KnownUser {
  readonly row: ScimUser;
  readonly principal: Principal;
}

/**
 * Reads what counts of a user.
 * @throws ScimError 400 without a user name that can be one; 413 where all of it is too long
 */
export function userFactsOf(attributes: Attributes): UserFacts {
  checkLength(attributes);
  const userName = textOf(attributes['userName'], ID_CHARACTERS_MAX);
  if (userName === undefined) {
    throw new ScimError(400, 'WDR_BODY_INVALID', `userName: 1-${ID_CHARACTERS_MAX} characters`, 'invalidValue');
  }
  const listed = emailsOf(attributes['emails']);
  const email = [...listed, userName].find((address) => isEmail(address)) ?? null;
  return {
    userName,
    externalId: textOf(attributes['externalId'], ID_CHARACTERS_MAX) ?? null,
    emails: [...new Set(listed.map((address) => address.toLowerCase()))],
    email,
    name: nameOf(attributes) ?? userName.slice(0, NAME_CHARACTERS_MAX),
  };
}

/** The user as it is answered. `active` is whether they really are let in, whoever keeps them out. */
export function userResource(
  { row, principal }: KnownUser,
  groups: readonly { id: string; displayName: string }[],
  urlOf: (path: string) => string,
): Record<string, unknown> {
  const isEnterprise = row.attributes[ENTERPRISE_SCHEMA] !== undefined;
  return {
    ...row.attributes,
    schemas: [USER_SCHEMA, ...(isEnterprise ? [ENTERPRISE_SCHEMA] : [])],
    id: row.principalId,
    active: principal.status === 'active',
    groups: groups.map(({ id, displayName }) => ({ value: id, display: displayName, $ref: urlOf(`Groups/${id}`) })),
    meta: {
      resourceType: 'User',
      created: new Date(Number(row.createdAtMs)).toISOString(),
      lastModified: new Date(Number(row.modifiedAtMs)).toISOString(),
      location: urlOf(`Users/${row.principalId}`),
      version: userVersion({ row, principal }),
    },
  };
}

/** The entity tag: other than before whenever an answer would be. */
export function userVersion({ row, principal }: KnownUser): string {
  return `W/"${row.version}.${principal.version}"`;
}

/** Text without characters that are not shown, cut to what a name may have. */
function nameOf(attributes: Attributes): string | undefined {
  const name = isObject(attributes['name']) ? attributes['name'] : {};
  const parts = [name['givenName'], name['familyName']].filter((part) => typeof part === 'string');
  for (const text of [attributes['displayName'], name['formatted'], parts.join(' ')]) {
    if (typeof text !== 'string') continue;
    const shown = text
      .replace(/[\p{Cc}\p{Cs}]/gu, '')
      .trim()
      .slice(0, NAME_CHARACTERS_MAX);
    if (shown !== '') return shown;
  }
  return undefined;
}

/** The primary one first, then those of work, then the others. */
function emailsOf(value: unknown): string[] {
  const items = (Array.isArray(value) ? value : [value]).filter(isObject);
  const rank = (item: Record<string, unknown>) => (item['primary'] === true ? 0 : item['type'] === 'work' ? 1 : 2);
  const ranked = items.toSorted((one, other) => rank(one) - rank(other));
  return ranked.flatMap((item) => textOf(item['value'], ID_CHARACTERS_MAX) ?? []);
}

function isEmail(text: string): boolean {
  return text.length <= 320 && z.email().safeParse(text).success;
}

function textOf(value: unknown, charactersMax: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= charactersMax ? value : undefined;
}
