import type { EntityManager } from 'typeorm';
import { isOffboarded } from '../offboarding.store.js';
import { ScimError } from './scim-error.js';
import type { ScimUser } from './scim-user.entity.js';
import type { UserFacts } from './user-resource.js';

/** @throws ScimError 409 WDR_SCIM_NAME_TAKEN */
export async function refuseTaken(manager: EntityManager, userName: string): Promise<void> {
  const taken = (await manager.query(
    'SELECT 1 FROM scim_user WHERE lower(user_name) = lower($1) AND deleted_at_ms IS NULL',
    [userName],
  )) as unknown[];
  if (taken.length === 0) return;
  throw new ScimError(409, 'WDR_SCIM_NAME_TAKEN', 'another user has this userName', 'uniqueness');
}

/**
 * Refuses to make anew, or to rename into, somebody whom an administrator removed (docs/adr/0021).
 * @throws ScimError 409 WDR_PRINCIPAL_REMOVED
 */
export async function refuseOffboarded(
  manager: EntityManager,
  { userName, externalId, emails }: Pick<UserFacts, 'userName' | 'externalId' | 'emails'>,
  self?: ScimUser,
): Promise<void> {
  const given = [userName, ...emails].map((name) => name.toLowerCase());
  const names = given.filter((name) => name !== self?.userName.toLowerCase());
  const who = { names, externalId: self === undefined ? externalId : null, exceptId: self?.principalId ?? '' };
  if (!(await isOffboarded(manager, who))) return;
  const why = 'an administrator removed whoever had this name; only an administrator can make them anew';
  throw new ScimError(409, 'WDR_PRINCIPAL_REMOVED', why, 'uniqueness');
}
