import type { EntityManager } from 'typeorm';
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
  const found = (await manager.query(
    `SELECT 1 FROM access_hold AS hold
      JOIN principal ON principal.id = hold.principal_id
      LEFT JOIN scim_user AS known ON known.principal_id = principal.id
      WHERE hold.holder = 'administrator' AND principal.status = 'removed' AND principal.id <> $3
        AND (lower(principal.email) = ANY ($1) OR lower(known.user_name) = ANY ($1) OR known.emails && $1
          OR known.external_id = $2)
      LIMIT 1`,
    [names, self === undefined ? externalId : null, self?.principalId ?? ''],
  )) as unknown[];
  if (found.length === 0) return;
  const why = 'an administrator removed whoever had this name; only an administrator can make them anew';
  throw new ScimError(409, 'WDR_PRINCIPAL_REMOVED', why, 'uniqueness');
}
