import type { PrincipalState } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { EntityManager } from 'typeorm';
import type { Holder } from './access-hold.entity.js';
import { holdAccess, holdersOf } from './access-holds.store.js';
import type { Ended, EndsAccess } from './ends-access.store.js';
import type { IdentityStore } from './identity.store.js';
import { nextVersion } from './next-version.js';
import { Principal, principalStateOf } from './principal.entity.js';

/** What an offboarding answers: the principal as it is now, and what this request ended. */
export type Offboarded = PrincipalState & { ended: Ended };

/** The end of somebody's access: the principal is removed for good, and all that was its own ends with it. */
export class Offboarding {
  constructor(
    private readonly store: IdentityStore,
    private readonly ends: readonly EndsAccess[],
  ) {}

  /**
   * Ends everything in one transaction, so that no message of SCIM brings it back. Again it changes nothing.
   * @throws AdminError 404 WDR_PRINCIPAL_UNKNOWN; 409 WDR_LAST_ADMIN
   */
  async offboard(id: string, by: AdminActor): Promise<Offboarded> {
    return this.store.change(async (manager) => {
      const before = await findPrincipal(manager, id);
      await keepAnAdministrator(manager, before, nextVersion(before, { status: 'removed' }));
      const isKnown = (await holdersOf(manager, id)).has('administrator');
      const { principal, ended } = await this.removeWithin(manager, before, 'administrator', by);
      const isNew = before.status !== 'removed' || !isKnown || Object.keys(ended).length > 0;
      if (isNew) await this.store.record(manager, 'principal.offboard', by, { id, was: before.status, ended });
      return { ...principalStateOf(principal), ended };
    });
  }

  /** The same within a change that is under way, for whoever may decide it; leaves the record to the caller. */
  async removeWithin(
    manager: EntityManager,
    before: Principal,
    holder: Holder,
    by: AdminActor,
  ): Promise<{ principal: Principal; ended: Ended }> {
    const principal = before.status === 'removed' ? before : nextVersion(before, { status: 'removed' });
    if (principal !== before) await this.store.savePrincipals(manager, [principal]);
    await holdAccess(manager, before.id, holder, this.store.wallMs());
    const ended: Record<string, readonly string[]> = {};
    for (const each of this.ends) {
      const ids = await each.end(manager, before.id, by);
      if (ids.length > 0) ended[each.what] = ids;
    }
    return { principal, ended };
  }
}

/** @throws AdminError 404 WDR_PRINCIPAL_UNKNOWN */
export async function findPrincipal(manager: EntityManager, id: string): Promise<Principal> {
  const row = await manager.findOneBy(Principal, { id });
  if (!row) throw new AdminError(404, 'WDR_PRINCIPAL_UNKNOWN', 'no principal has this id');
  return row;
}

/** Somebody by what directories and providers call them. */
export interface Named {
  /** User names and e-mail addresses, in lower case. */
  readonly names: readonly string[];
  readonly externalId: string | null;
  /** A principal that is not looked at. */
  readonly exceptId: string;
}

/** Whether an administrator removed somebody of these names: then only an administrator can make them anew (docs/adr/0021). */
export async function isOffboarded(manager: EntityManager, { names, externalId, exceptId }: Named): Promise<boolean> {
  const found = (await manager.query(
    `SELECT 1 FROM access_hold AS hold
      JOIN principal ON principal.id = hold.principal_id
      LEFT JOIN scim_user AS known ON known.principal_id = principal.id
      WHERE hold.holder = 'administrator' AND principal.status = 'removed' AND principal.id <> $3
        AND (lower(principal.email) = ANY ($1) OR lower(known.user_name) = ANY ($1) OR known.emails && $1
          OR known.external_id = $2)
      LIMIT 1`,
    [names, externalId, exceptId],
  )) as unknown[];
  return found.length > 0;
}

/**
 * Whoever removes the last administrator can never be undone by anybody.
 * @throws AdminError 409 WDR_LAST_ADMIN
 */
export async function keepAnAdministrator(manager: EntityManager, before: Principal, after: Principal): Promise<void> {
  if (isAdministrator(after) || !(await isLastAdministrator(manager, before))) return;
  throw new AdminError(409, 'WDR_LAST_ADMIN', `${before.id} is the last active administrator`);
}

/** Whether nobody else could administer. */
export async function isLastAdministrator(manager: EntityManager, principal: Principal): Promise<boolean> {
  if (!isAdministrator(principal)) return false;
  const [{ others }] = (await manager.query(
    `SELECT count(*)::int AS others FROM principal WHERE status = 'active' AND 'admin' = ANY (roles) AND id <> $1`,
    [principal.id],
  )) as [{ others: number }];
  return others === 0;
}

function isAdministrator({ status, roles }: Principal): boolean {
  return status === 'active' && roles.includes('admin');
}
