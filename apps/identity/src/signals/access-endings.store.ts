import type { AdminActor } from '@warder/postgres';
import type { EntityManager } from 'typeorm';
import type { Holder } from '../access-hold.entity.js';
import { holdAccess, holdersOf, releaseAccess, statusUnder } from '../access-holds.store.js';
import type { IdentityStore } from '../identity.store.js';
import { nextVersion } from '../next-version.js';
import { isLastAdministrator, type Offboarding } from '../offboarding.store.js';
import type { Principal } from '../principal.entity.js';
import type { PeopleStore } from '../sign-in/people.store.js';

/** What a word on somebody's access did. */
export type Did = 'signed-out' | 'suspended' | 'restored' | 'removed' | 'nothing';

/** The ways in which a sender ends somebody's access, or takes back what it said, within a change that is under way. */
export class AccessEndings {
  constructor(
    private readonly store: IdentityStore,
    private readonly people: PeopleStore,
    private readonly offboarding: Offboarding,
  ) {}

  /** Ends sessions and clients; of somebody removed there are none. */
  async signOut(manager: EntityManager, before: Principal, by: AdminActor, why: object): Promise<Did> {
    if (before.status === 'removed') return 'nothing';
    await this.people.signOutWithin(manager, before, by, why);
    return 'signed-out';
  }

  /** Keeps the principal out for this holder, with all that it signed in to: what is lifted later brings none of it back. */
  async suspend(manager: EntityManager, before: Principal, holder: Holder, by: AdminActor, why: object): Promise<Did> {
    if (before.status === 'removed') return 'nothing';
    const wasHeld = (await holdersOf(manager, before.id)).has(holder);
    await holdAccess(manager, before.id, holder, this.store.wallMs());
    const held = await this.people.signOutWithin(manager, nextVersion(before, { status: 'suspended' }), by, why);
    if (!wasHeld) await this.told(manager, held, holder, by, why);
    return 'suspended';
  }

  /** Takes back what this holder held; whoever else keeps the principal out goes on to. */
  async restore(manager: EntityManager, before: Principal, holder: Holder, by: AdminActor, why: object): Promise<Did> {
    if (before.status === 'removed' || !(await holdersOf(manager, before.id)).has(holder)) return 'nothing';
    await releaseAccess(manager, before.id, holder);
    const status = statusUnder(before.status, await holdersOf(manager, before.id));
    const row = nextVersion(before, { status });
    await this.store.savePrincipals(manager, [row]);
    await this.told(manager, row, holder, by, why);
    return status === 'active' ? 'restored' : 'nothing';
  }

  /** Removes the principal for good. The last administrator is only suspended: nobody could undo it. */
  async remove(manager: EntityManager, before: Principal, holder: Holder, by: AdminActor, why: object): Promise<Did> {
    if (before.status === 'removed') return 'nothing';
    if (await isLastAdministrator(manager, before)) return this.suspend(manager, before, holder, by, why);
    const { ended } = await this.offboarding.removeWithin(manager, before, holder, by);
    await this.store.record(manager, 'principal.remove', by, { id: before.id, was: before.status, ...why, ended });
    return 'removed';
  }

  private told(manager: EntityManager, row: Principal, holder: Holder, by: AdminActor, why: object): Promise<void> {
    const { id, status } = row;
    return this.store.record(manager, 'principal.change', by, { id, status, holder, ...why });
  }
}
