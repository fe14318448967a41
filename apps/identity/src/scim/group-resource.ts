import { type Attributes, checkLength, GROUP_SCHEMA, isObject } from './scim-attributes.js';
import { ScimError } from './scim-error.js';
import type { ScimGroup } from './scim-group.entity.js';

const CHARACTERS_MAX = 256;

/** What a group's attributes say to the rest of Warder. */
export interface GroupFacts {
  readonly displayName: string;
  readonly externalId: string | null;
}

/** A member of a group as it is answered. */
export interface GroupMember {
  readonly id: string;
  readonly display: string;
}

/**
 * Reads what counts of a group.
 * @throws ScimError 400 without a display name; 413 where all of it is too long
 */
export function groupFactsOf(attributes: Attributes): GroupFacts {
  checkLength(attributes);
  const { displayName, externalId } = attributes;
  if (typeof displayName !== 'string' || displayName === '' || displayName.length > CHARACTERS_MAX) {
    throw new ScimError(400, 'WDR_BODY_INVALID', `displayName: 1-${CHARACTERS_MAX} characters`, 'invalidValue');
  }
  const isText = typeof externalId === 'string' && externalId !== '' && externalId.length <= CHARACTERS_MAX;
  return { displayName, externalId: isText ? externalId : null };
}

/** Ids in a list of members, in whatever form they are sent. */
export function memberIdsOf(value: unknown): string[] {
  const items = (Array.isArray(value) ? value : [value]) as unknown[];
  const ids = items.map((item) => (isObject(item) ? item['value'] : item));
  return [...new Set(ids.filter((id) => typeof id === 'string'))];
}

/** The group as it is answered; without members where nobody asked for them. */
export function groupResource(
  row: ScimGroup,
  members: readonly GroupMember[] | undefined,
  urlOf: (path: string) => string,
): Record<string, unknown> {
  return {
    ...row.attributes,
    schemas: [GROUP_SCHEMA],
    id: row.id,
    ...(members === undefined
      ? {}
      : {
          members: members.map(({ id, display }) => ({ value: id, display, type: 'User', $ref: urlOf(`Users/${id}`) })),
        }),
    meta: {
      resourceType: 'Group',
      created: new Date(Number(row.createdAtMs)).toISOString(),
      lastModified: new Date(Number(row.modifiedAtMs)).toISOString(),
      location: urlOf(`Groups/${row.id}`),
      version: groupVersion(row),
    },
  };
}

/** The entity tag: other than before whenever an answer would be. */
export function groupVersion({ version }: Pick<ScimGroup, 'version'>): string {
  return `W/"${version}"`;
}
