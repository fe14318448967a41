import { memberIdsOf } from './group-resource.js';
import { ScimError } from './scim-error.js';
import { readFilter } from './scim-filter.js';
import type { Operation } from './scim-patch-body.js';

/**
 * The members of a group after the operations of a PATCH on them. Not by the library, which compares each that is
 * added with each that is there.
 * @throws ScimError 400
 */
export function membersAfter(before: ReadonlySet<string>, operations: readonly Operation[]): ReadonlySet<string> {
  return operations.reduce<ReadonlySet<string>>(applied, before);
}

function applied(members: ReadonlySet<string>, { op, path, value }: Operation): ReadonlySet<string> {
  const filter = /^members\[(.+)\](?:\.value)?$/is.exec(path)?.[1];
  if (filter !== undefined) {
    // Of a member there is nothing to set but that it is one.
    if (op !== 'remove') return members;
    const chosen = readFilter(filter);
    return new Set([...members].filter((id) => !chosen.fits({ value: id, type: 'User' })));
  }
  if (path !== 'members') {
    throw new ScimError(400, 'WDR_SCIM_PATCH_INVALID', 'members are added and removed whole', 'invalidPath');
  }
  const ids = memberIdsOf(value);
  if (op === 'replace') return new Set(ids);
  if (op === 'add') return new Set([...members, ...ids]);
  const isAll = value === undefined || value === null;
  const gone = new Set(ids);
  return isAll ? new Set() : new Set([...members].filter((id) => !gone.has(id)));
}
