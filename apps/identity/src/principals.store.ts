import type { ChangePrincipal, CreatePrincipal, IdentityPage, PrincipalState } from '@warder/contracts';
import { type AdminActor, isUniqueViolation } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { type EntityManager, MoreThan } from 'typeorm';
import { holdAccess, holdsOf, type HoldView, releaseAccess } from './access-holds.store.js';
import type { IdentityStore } from './identity.store.js';
import { accountVersion } from './next-version.js';
import { findPrincipal, keepAnAdministrator } from './offboarding.store.js';
import { Principal, principalStateOf } from './principal.entity.js';

/** A principal as administrators and auditors see it, with who keeps it out. */
export type PrincipalView = PrincipalState & { readonly heldBy: readonly HoldView[] };

/** People and services: what an administrator may do with them. */
export class PrincipalsStore {
  constructor(private readonly store: IdentityStore) {}

  /** A page in the order of creation; `next` is null on the last one. */
  async list({ after, limit }: IdentityPage): Promise<{ principals: PrincipalView[]; next: string | null }> {
    const rows = await this.store.source.manager.find(Principal, {
      where: after === undefined ? {} : { id: MoreThan(after) },
      order: { id: 'ASC' },
      take: limit + 1,
    });
    const page = rows.slice(0, limit);
    return { principals: await this.viewsOf(page), next: rows.length > limit ? page.at(-1)!.id : null };
  }

  /** @throws AdminError 404 WDR_PRINCIPAL_UNKNOWN */
  async get(id: string): Promise<PrincipalView> {
    const [view] = await this.viewsOf([await findPrincipal(this.store.source.manager, id)]);
    return view!;
  }

  /** Groups are what principals say they are in; those that somebody living is in, with how many are. */
  async groups(): Promise<{ name: string; principals: number }[]> {
    return this.store.source.query(`SELECT joined.name, count(*)::int AS principals
      FROM principal CROSS JOIN unnest(principal.groups) AS joined (name)
      WHERE principal.status <> 'removed' GROUP BY joined.name ORDER BY joined.name`);
  }

  /** @throws AdminError 409 WDR_EMAIL_TAKEN */
  async create(body: CreatePrincipal, by: AdminActor): Promise<PrincipalState> {
    return this.change(async (manager) => {
      const id = this.store.newId(body.kind === 'human' ? 'usr' : 'svc');
      const row: Principal = {
        id,
        version: 1,
        status: 'active',
        ...body,
        groups: unique(body.groups),
        roles: unique(body.roles),
      };
      await this.store.savePrincipals(manager, [row]);
      await this.store.record(manager, 'principal.create', by, { id, ...body });
      return principalStateOf(row);
    });
  }

  /**
   * Changes what the patch names.
   * @throws AdminError 404 WDR_PRINCIPAL_UNKNOWN; 409 WDR_PRINCIPAL_REMOVED, WDR_EMAIL_TAKEN or WDR_LAST_ADMIN
   */
  async patch(id: string, body: ChangePrincipal, by: AdminActor): Promise<PrincipalState> {
    return this.change(async (manager) => {
      const before = await findPrincipal(manager, id);
      if (before.status === 'removed') throw new AdminError(409, 'WDR_PRINCIPAL_REMOVED', `${id} was removed for good`);
      const row = accountVersion(before, body, this.store.wallMs());
      row.groups = unique(row.groups);
      row.roles = unique(row.roles);
      await keepAnAdministrator(manager, before, row);
      // An administrator's word on access ends what SCIM said before, either way (docs/adr/0021).
      if (body.status === 'active') await releaseAccess(manager, id);
      if (body.status === 'suspended') await holdAccess(manager, id, 'administrator', this.store.wallMs());
      await this.store.savePrincipals(manager, [row]);
      await this.store.record(manager, 'principal.change', by, { id, ...body });
      return principalStateOf(row);
    });
  }

  private async viewsOf(rows: readonly Principal[]): Promise<PrincipalView[]> {
    const holds = await holdsOf(
      this.store.source.manager,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => ({ ...principalStateOf(row), heldBy: holds.get(row.id) ?? [] }));
  }

  private async change<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.store.change(work);
    } catch (error) {
      if (!isUniqueViolation(error, 'principal_email')) throw error;
      throw new AdminError(409, 'WDR_EMAIL_TAKEN', 'another principal has this e-mail address');
    }
  }
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
