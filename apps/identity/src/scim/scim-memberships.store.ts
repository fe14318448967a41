import { isDeepStrictEqual } from 'node:util';
import { type EntityManager, In, IsNull, MoreThan, type QueryDeepPartialEntity } from 'typeorm';
import { type GroupRule, mapGroups } from '../group-rules.js';
import type { IdentityStore } from '../identity.store.js';
import { nextVersion } from '../next-version.js';
import { Principal } from '../principal.entity.js';
import { ScimUser } from './scim-user.entity.js';

const CHUNK = 500;

/** A group of the directory, as its members know it. */
export interface GroupOfUser {
  readonly id: string;
  readonly displayName: string;
}

/** Who is in which group of the directory, and what that means here. */
export class ScimMemberships {
  constructor(
    private readonly store: IdentityStore,
    private readonly rules: readonly GroupRule[],
  ) {}

  /** The directory's groups of each of the users; nobody is missing. */
  async groupsOf(manager: EntityManager, ids: readonly string[]): Promise<ReadonlyMap<string, GroupOfUser[]>> {
    const found = new Map<string, GroupOfUser[]>(ids.map((id) => [id, []]));
    const rows = (await manager.query(
      `SELECT member.principal_id, scim_group.id, scim_group.display_name
        FROM scim_member AS member JOIN scim_group ON scim_group.id = member.group_id
        WHERE member.principal_id = ANY ($1) ORDER BY scim_group.id`,
      [ids],
    )) as { principal_id: string; id: string; display_name: string }[];
    for (const row of rows) found.get(row.principal_id)?.push({ id: row.id, displayName: row.display_name });
    return found;
  }

  /** Ids of the members of a group. */
  async membersOf(manager: EntityManager, groupId: string): Promise<Set<string>> {
    const rows = (await manager.query('SELECT principal_id FROM scim_member WHERE group_id = $1', [groupId])) as {
      principal_id: string;
    }[];
    return new Set(rows.map(({ principal_id }) => principal_id));
  }

  /**
   * Makes these the members of the group. Ids of nobody are passed over: a directory that still names somebody who is
   * gone must be able to take others out.
   * @returns ids of those who came and of those who went
   */
  async setMembers(
    manager: EntityManager,
    groupId: string,
    before: ReadonlySet<string>,
    after: ReadonlySet<string>,
  ): Promise<{ added: string[]; removed: string[] }> {
    const removed = [...before].filter((id) => !after.has(id));
    const asked = [...after].filter((id) => !before.has(id));
    const known = (await manager.query(
      'SELECT principal_id FROM scim_user WHERE principal_id = ANY ($1) AND deleted_at_ms IS NULL',
      [asked],
    )) as { principal_id: string }[];
    const added = known.map(({ principal_id }) => principal_id);
    await manager.query('DELETE FROM scim_member WHERE group_id = $1 AND principal_id = ANY ($2)', [groupId, removed]);
    await manager.query('INSERT INTO scim_member (group_id, principal_id) SELECT $1, unnest($2::text[])', [
      groupId,
      added,
    ]);
    return { added, removed };
  }

  /**
   * Gives users what their groups mean by the rules, and takes back what no longer follows from them; what anybody else
   * gave stays.
   * @param isTouched - whether what the users' own resources show has changed, so that each gets a new version
   * @returns how many principals have changed
   */
  async follow(manager: EntityManager, ids: readonly string[], isTouched: boolean): Promise<number> {
    let changed = 0;
    for (let at = 0; at < ids.length; at += CHUNK) {
      changed += await this.followSome(manager, ids.slice(at, at + CHUNK), isTouched);
    }
    return changed;
  }

  /** The same for everybody, as at a start: the rules may be others than before. */
  async followAll(): Promise<void> {
    for (let after: string | undefined = ''; after !== undefined;) {
      const from: string = after;
      after = await this.store.change(async (manager) => {
        const rows = await manager.find(ScimUser, {
          select: { principalId: true },
          where: { principalId: MoreThan(from), deletedAtMs: IsNull() },
          order: { principalId: 'ASC' },
          take: CHUNK,
        });
        const ids = rows.map(({ principalId }) => principalId);
        await this.followSome(manager, ids, false);
        return ids.length < CHUNK ? undefined : ids.at(-1);
      });
    }
  }

  private async followSome(manager: EntityManager, ids: readonly string[], isTouched: boolean): Promise<number> {
    const users = await manager.findBy(ScimUser, { principalId: In([...ids]), deletedAtMs: IsNull() });
    const found = await manager.findBy(Principal, { id: In([...ids]) });
    const principals = new Map(found.map((principal) => [principal.id, principal]));
    const groups = await this.groupsOf(manager, ids);
    const changedUsers: ScimUser[] = [];
    const changedPrincipals: Principal[] = [];
    for (const user of users) {
      const names = groups.get(user.principalId)!.map(({ displayName }) => displayName);
      const next = this.following(user, principals.get(user.principalId)!, names);
      if (next.principal !== undefined) changedPrincipals.push(next.principal);
      if (isTouched || next.isOther) changedUsers.push(next.user);
    }
    await this.store.savePrincipals(manager, changedPrincipals);
    if (changedUsers.length > 0) {
      // The cast is for its types, which take JSON for entities of their own.
      await manager.upsert(ScimUser, changedUsers as QueryDeepPartialEntity<ScimUser>[], ['principalId']);
    }
    return changedPrincipals.length;
  }

  private following(
    user: ScimUser,
    principal: Principal,
    names: readonly string[],
  ): { user: ScimUser; principal: Principal | undefined; isOther: boolean } {
    const mapped = mapGroups(this.rules, names);
    const groups = given(principal.groups, user.givenGroups, mapped.groups);
    const roles = given(principal.roles, user.givenRoles, mapped.roles);
    const change = { givenGroups: groups.given, givenRoles: roles.given };
    const isOther = !isDeepStrictEqual(change, { givenGroups: user.givenGroups, givenRoles: user.givenRoles });
    const next = nextVersion(user, { ...change, modifiedAtMs: String(this.store.wallMs()) });
    const isSame = isDeepStrictEqual([groups.all, roles.all], [principal.groups, principal.roles]);
    if (isSame || principal.status === 'removed') return { user: next, principal: undefined, isOther };
    return { user: next, principal: nextVersion(principal, { groups: groups.all, roles: roles.all }), isOther };
  }
}

/** What is held now, where `before` of it had been given and `now` is to be; what was there without us stays not ours. */
function given<T extends string>(
  held: readonly T[],
  before: readonly T[],
  now: readonly T[],
): { all: T[]; given: T[] } {
  const others = held.filter((each) => !before.includes(each));
  const ours = now.filter((each) => !others.includes(each));
  const kept = held.filter((each) => others.includes(each) || ours.includes(each));
  return { all: [...kept, ...ours.filter((each) => !kept.includes(each))], given: ours };
}
