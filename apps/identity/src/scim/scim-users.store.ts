import { isDeepStrictEqual } from 'node:util';
import { type AdminActor, isUniqueViolation } from '@warder/postgres';
import { type EntityManager, In, IsNull } from 'typeorm';
import { holdAccess, holdersOf, releaseAccess, statusUnder } from '../access-holds.store.js';
import type { IdentityStore } from '../identity.store.js';
import { nextVersion } from '../next-version.js';
import { isLastAdministrator, type Offboarding } from '../offboarding.store.js';
import { Principal, principalStateOf } from '../principal.entity.js';
import { applyOperations } from './apply-operations.js';
import { type Attributes, attributesOf, isObject } from './scim-attributes.js';
import type { ScimConfig } from './scim-config.js';
import { ScimError } from './scim-error.js';
import { checkVersion, type Condition } from './scim-condition.js';
import type { ListAsked, ScimPage } from './scim-list.js';
import type { ScimMemberships } from './scim-memberships.store.js';
import { refuseOffboarded, refuseTaken } from './scim-names.store.js';
import { operationsOf } from './scim-patch-body.js';
import { search } from './scim-search.store.js';
import { ScimUser } from './scim-user.entity.js';
import { type KnownUser, type UserFacts, userFactsOf, userResource, userVersion } from './user-resource.js';

type Resource = Record<string, unknown>;

/** What a request wants a user to be. */
interface Wish {
  readonly attributes: Attributes;
  readonly facts: UserFacts;
  /** Whether SCIM lets them in; others may keep them out all the same. */
  readonly isActive: boolean;
}

/** People as the directory tells of them: each is a principal. */
export class ScimUsers {
  constructor(
    private readonly store: IdentityStore,
    private readonly memberships: ScimMemberships,
    private readonly offboarding: Offboarding,
    private readonly bounds: Pick<ScimConfig, 'usersMax' | 'scannedMax'>,
    private readonly urlOf: (path: string) => string,
  ) {}

  /** @throws ScimError 400 WDR_SCIM_FILTER_BROAD */
  async list(asked: ListAsked): Promise<ScimPage> {
    return search(
      this.store.source.manager,
      {
        table: 'scim_user',
        id: 'principal_id',
        living: 'deleted_at_ms IS NULL',
        indexed: {
          id: 'principal_id = $n',
          username: 'lower(user_name) = lower($n)',
          externalid: 'external_id = $n',
          'emails.value': 'emails @> ARRAY[$n]',
        },
        scannedMax: this.bounds.scannedMax,
        load: (manager, ids) => this.load(manager, ids),
      },
      asked,
    );
  }

  /** @throws ScimError 404 WDR_SCIM_RESOURCE_UNKNOWN */
  async get(id: string): Promise<Resource> {
    const [resource] = await this.load(this.store.source.manager, [id]);
    if (resource === undefined) throw unknownUser();
    return resource;
  }

  /**
   * Makes a principal, or links the living one who has the e-mail address and is no user of SCIM yet.
   * @throws ScimError 400; 409 WDR_SCIM_NAME_TAKEN, WDR_EMAIL_TAKEN, WDR_PRINCIPAL_REMOVED or WDR_SCIM_LIMIT
   */
  async create(body: unknown, by: AdminActor): Promise<Resource> {
    const { active = true, ...attributes } = attributesOf(body);
    const wish: Wish = { attributes, facts: userFactsOf(attributes), isActive: active === true };
    return this.change(async (manager) => {
      await refuseTaken(manager, wish.facts.userName);
      const linked = await this.linkable(manager, wish.facts);
      if (linked === undefined) {
        await refuseOffboarded(manager, wish.facts);
        await this.checkRoom(manager);
      }
      const known = await this.started(manager, linked, wish);
      return this.keep(manager, known, wish, { action: 'scim-user.create', by, isLinked: linked !== undefined });
    });
  }

  /**
   * Replaces everything; without `active` the user is not active.
   * @throws ScimError 400; 404 WDR_SCIM_RESOURCE_UNKNOWN; 409 as `create`; 412 WDR_VERSION_MISMATCH
   */
  async replace(id: string, body: unknown, condition: Condition, by: AdminActor): Promise<Resource> {
    const { active, ...attributes } = attributesOf(body);
    const wish: Wish = { attributes, facts: userFactsOf(attributes), isActive: active === true };
    return this.change(async (manager) => {
      const known = await this.find(manager, id, condition);
      const claimed = isObject(body) && isObject(body['meta']) ? body['meta']['version'] : undefined;
      // Whoever lets somebody in again by a copy of long ago means the copy and not the person.
      const isHeld = (await holdersOf(manager, id)).has('scim');
      if (wish.isActive && isHeld && typeof claimed === 'string')
        checkVersion({ ifMatch: claimed }, userVersion(known));
      return this.keep(manager, known, wish, { action: 'scim-user.replace', by });
    });
  }

  /**
   * @param body - of a PATCH
   * @throws ScimError 400; 404 WDR_SCIM_RESOURCE_UNKNOWN; 409 as `create`; 412 WDR_VERSION_MISMATCH
   */
  async patch(id: string, body: unknown, condition: Condition, by: AdminActor): Promise<Resource> {
    const operations = operationsOf(body);
    return this.change(async (manager) => {
      const known = await this.find(manager, id, condition);
      const isHeld = (await holdersOf(manager, id)).has('scim');
      const { active, ...attributes } = applyOperations({ ...known.row.attributes, active: !isHeld }, operations);
      const wish: Wish = { attributes, facts: userFactsOf(attributes), isActive: active === true };
      return this.keep(manager, known, wish, { action: 'scim-user.change', by });
    });
  }

  /**
   * Removes the principal and ends what is its own. The last administrator is only suspended: nobody could undo it.
   * @throws ScimError 404 WDR_SCIM_RESOURCE_UNKNOWN; 412 WDR_VERSION_MISMATCH
   */
  async remove(id: string, condition: Condition, by: AdminActor): Promise<void> {
    await this.change(async (manager) => {
      const { row, principal } = await this.find(manager, id, condition);
      const isLast = await isLastAdministrator(manager, principal);
      await manager.query('DELETE FROM scim_member WHERE principal_id = $1', [id]);
      await this.memberships.follow(manager, [id], false);
      const left = await manager.findOneByOrFail(Principal, { id });
      if (isLast) {
        await holdAccess(manager, id, 'scim', this.store.wallMs());
        await this.store.savePrincipals(manager, [nextVersion(left, { status: 'suspended' })]);
      }
      const isOurs = !isLast && principal.status !== 'removed';
      const ended = isOurs ? (await this.offboarding.removeWithin(manager, left, 'scim', by)).ended : {};
      await manager.update(ScimUser, { principalId: id }, { deletedAtMs: String(this.store.wallMs()) });
      const status = isLast ? 'suspended' : 'removed';
      await this.store.record(manager, 'scim-user.delete', by, { id, userName: row.userName, status, ended });
    });
  }

  /** Writes what has changed, with its record; what has not changes no version and leaves none. */
  private async keep(
    manager: EntityManager,
    { row, principal }: KnownUser,
    { attributes, facts, isActive }: Wish,
    { action, by, isLinked }: { action: string; by: AdminActor; isLinked?: boolean },
  ): Promise<Resource> {
    const { userName, externalId, emails, name, email } = facts;
    const isNew = row.version === 0;
    const isRenamed = userName.toLowerCase() !== row.userName.toLowerCase();
    if (isRenamed) await refuseTaken(manager, userName);
    const others = { ...facts, emails: emails.filter((each) => !row.emails.includes(each)) };
    if (!isNew && (isRenamed || others.emails.length > 0)) await refuseOffboarded(manager, others, row);
    if (isActive) await releaseAccess(manager, principal.id, 'scim');
    else await holdAccess(manager, principal.id, 'scim', this.store.wallMs());
    const status = statusUnder(principal.status, await holdersOf(manager, principal.id));
    const isGone = principal.status === 'removed';
    const after = isGone ? principal : nextVersion(principal, { name, email, status });
    const isSame = externalId === row.externalId && isDeepStrictEqual(unversioned(after), unversioned(principal));
    const isOther = isNew || !isSame;
    if (isOther && !isGone) await this.store.savePrincipals(manager, [after]);
    const changed = changedBetween(row.attributes, attributes);
    if (isNew || changed.length > 0) {
      const modifiedAtMs = String(this.store.wallMs());
      await manager.save(ScimUser, nextVersion(row, { userName, externalId, emails, attributes, modifiedAtMs }));
    }
    if (isOther || changed.length > 0) {
      const what = { id: principal.id, userName, active: isActive, status, changed, ...(isLinked ? { isLinked } : {}) };
      await this.store.record(manager, action, by, what);
    }
    const [resource] = await this.load(manager, [principal.id]);
    return resource!;
  }

  /** The rows of a user who is new to SCIM, in version 0: neither is written yet. */
  private async started(manager: EntityManager, linked: Principal | undefined, wish: Wish): Promise<KnownUser> {
    const { userName, externalId, emails, name, email } = wish.facts;
    const nowMs = String(this.store.wallMs());
    const principal: Principal = linked ?? {
      id: this.store.newId('usr'),
      version: 0,
      status: 'active',
      kind: 'human',
      name,
      email,
      groups: [],
      roles: ['member'],
    };
    // Both rows refer to it.
    if (linked === undefined) await manager.insert(Principal, principal);
    const row: ScimUser = {
      principalId: principal.id,
      version: 0,
      userName,
      externalId,
      emails,
      attributes: {},
      givenGroups: [],
      givenRoles: [],
      createdAtMs: nowMs,
      modifiedAtMs: nowMs,
      deletedAtMs: null,
    };
    return { row, principal };
  }

  /** Somebody living with the address whom no user of SCIM is linked to. */
  private async linkable(manager: EntityManager, { userName, email }: UserFacts): Promise<Principal | undefined> {
    const addresses = [...new Set([email ?? userName, userName].map((each) => each.toLowerCase()))];
    const [found] = (await manager.query(
      `SELECT principal.id FROM principal LEFT JOIN scim_user AS known
          ON known.principal_id = principal.id AND known.deleted_at_ms IS NULL
        WHERE lower(principal.email) = ANY ($1) AND principal.status <> 'removed' AND principal.kind = 'human'
          AND known.principal_id IS NULL
        ORDER BY array_position($1, lower(principal.email)) LIMIT 1`,
      [addresses],
    )) as { id: string }[];
    return found === undefined ? undefined : manager.findOneByOrFail(Principal, { id: found.id });
  }

  private async checkRoom(manager: EntityManager): Promise<void> {
    const users = await manager.countBy(ScimUser, { deletedAtMs: IsNull() });
    if (users < this.bounds.usersMax) return;
    throw new ScimError(409, 'WDR_SCIM_LIMIT', `there are ${this.bounds.usersMax} users at most`);
  }

  private async find(manager: EntityManager, id: string, condition: Condition): Promise<KnownUser> {
    const row = await manager.findOneBy(ScimUser, { principalId: id, deletedAtMs: IsNull() });
    if (!row) throw unknownUser();
    const known = { row, principal: await manager.findOneByOrFail(Principal, { id }) };
    checkVersion(condition, userVersion(known));
    return known;
  }

  private async load(manager: EntityManager, ids: readonly string[]): Promise<Resource[]> {
    const rows = await manager.find(ScimUser, {
      where: { principalId: In([...ids]), deletedAtMs: IsNull() },
      order: { principalId: 'ASC' },
    });
    const principals = await manager.findBy(Principal, { id: In(rows.map(({ principalId }) => principalId)) });
    const byId = new Map(principals.map((principal) => [principal.id, principal]));
    const groups = await this.memberships.groupsOf(manager, ids);
    return rows.map((row) => {
      const known = { row, principal: byId.get(row.principalId)! };
      return userResource(known, groups.get(row.principalId) ?? [], this.urlOf);
    });
  }

  private async change<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.store.change(work);
    } catch (error) {
      if (!isUniqueViolation(error, 'principal_email')) throw error;
      throw new ScimError(409, 'WDR_EMAIL_TAKEN', 'another principal has this e-mail address', 'uniqueness');
    }
  }
}

/** Names of the attributes that are not what they were. */
function changedBetween(before: Attributes, after: Attributes): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name])).toSorted();
}

function unversioned(principal: Principal): object {
  return { ...principalStateOf(principal), version: 0 };
}

function unknownUser(): ScimError {
  return new ScimError(404, 'WDR_SCIM_RESOURCE_UNKNOWN', 'no user has this id');
}
