import { isDeepStrictEqual } from 'node:util';
import { type AdminActor, isUniqueViolation } from '@warder/postgres';
import { type EntityManager, In } from 'typeorm';
import type { IdentityStore } from '../identity.store.js';
import { nextVersion } from '../next-version.js';
import { applyOperations } from './apply-operations.js';
import {
  type GroupFacts,
  groupFactsOf,
  type GroupMember,
  groupResource,
  groupVersion,
  memberIdsOf,
} from './group-resource.js';
import { membersAfter } from './member-operations.js';
import { type Attributes, attributesOf } from './scim-attributes.js';
import { checkVersion, type Condition } from './scim-condition.js';
import type { ScimConfig } from './scim-config.js';
import { ScimError } from './scim-error.js';
import { ScimGroup } from './scim-group.entity.js';
import type { ListAsked, Projection, ScimPage } from './scim-list.js';
import type { ScimMemberships } from './scim-memberships.store.js';
import { operationsOf } from './scim-patch-body.js';
import { search } from './scim-search.store.js';

type Resource = Record<string, unknown>;

/** Groups whose members may be looked at for a filter that asks about members. */
const SCANNED_MEMBERS_MAX = 50;

interface Wish {
  readonly attributes: Attributes;
  readonly facts: GroupFacts;
  readonly members: ReadonlySet<string>;
}

/** Groups as the directory tells of them. What they mean here is said by rules, and is nothing where none says it. */
export class ScimGroups {
  constructor(
    private readonly store: IdentityStore,
    private readonly memberships: ScimMemberships,
    private readonly bounds: Pick<ScimConfig, 'groupsMax' | 'membersMax' | 'scannedMax'>,
    private readonly urlOf: (path: string) => string,
  ) {}

  /** @throws ScimError 400 WDR_SCIM_FILTER_BROAD */
  async list(asked: ListAsked): Promise<ScimPage> {
    const { scannedMax } = this.bounds;
    const mentionsMembers = asked.filter?.mentions('members') === true;
    const wantsMembers = mentionsMembers || asked.projection.wants('members');
    return search(
      this.store.source.manager,
      {
        table: 'scim_group',
        id: 'id',
        living: 'true',
        indexed: {
          id: 'id = $n',
          displayname: 'lower(display_name) = lower($n)',
          externalid: 'external_id = $n',
          'members.value': 'id IN (SELECT group_id FROM scim_member WHERE principal_id = $n)',
        },
        scannedMax: mentionsMembers ? Math.min(SCANNED_MEMBERS_MAX, scannedMax) : scannedMax,
        load: (manager, ids) => this.load(manager, ids, wantsMembers),
      },
      asked,
    );
  }

  /**
   * @param projection - says whether anybody looks at the members, of which a group may have many
   * @throws ScimError 404 WDR_SCIM_RESOURCE_UNKNOWN
   */
  async get(id: string, projection: Projection): Promise<Resource> {
    const [resource] = await this.load(this.store.source.manager, [id], projection.wants('members'));
    if (resource === undefined) throw unknownGroup();
    return resource;
  }

  /** @throws ScimError 400; 409 WDR_SCIM_NAME_TAKEN or WDR_SCIM_LIMIT */
  async create(body: unknown, by: AdminActor): Promise<Resource> {
    const wish = this.wishOf(body);
    return this.change(async (manager) => {
      if ((await manager.count(ScimGroup)) >= this.bounds.groupsMax) {
        throw new ScimError(409, 'WDR_SCIM_LIMIT', `there are ${this.bounds.groupsMax} groups at most`);
      }
      const nowMs = String(this.store.wallMs());
      const row: ScimGroup = {
        id: this.store.newId('grp'),
        version: 0,
        ...wish.facts,
        attributes: {},
        createdAtMs: nowMs,
        modifiedAtMs: nowMs,
      };
      await manager.save(ScimGroup, row);
      return this.keep(manager, row, wish, 'scim-group.create', by);
    });
  }

  /** @throws ScimError 400; 404 WDR_SCIM_RESOURCE_UNKNOWN; 409 WDR_SCIM_NAME_TAKEN; 412 WDR_VERSION_MISMATCH */
  async replace(id: string, body: unknown, condition: Condition, by: AdminActor): Promise<Resource> {
    const wish = this.wishOf(body);
    return this.change(async (manager) => {
      const row = await this.find(manager, id, condition);
      return this.keep(manager, row, wish, 'scim-group.replace', by);
    });
  }

  /**
   * @param body - of a PATCH
   * @throws ScimError 400; 404 WDR_SCIM_RESOURCE_UNKNOWN; 409 WDR_SCIM_NAME_TAKEN; 412 WDR_VERSION_MISMATCH
   */
  async patch(id: string, body: unknown, condition: Condition, by: AdminActor): Promise<Resource> {
    const operations = operationsOf(body);
    const isOfMembers = ({ path }: { path: string }) => /^members(?:[.[]|$)/.test(path);
    const others = operations.filter((operation) => !isOfMembers(operation));
    return this.change(async (manager) => {
      const row = await this.find(manager, id, condition);
      const attributes = others.length === 0 ? row.attributes : applyOperations(row.attributes, others);
      const before = await this.memberships.membersOf(manager, id);
      const members = membersAfter(before, operations.filter(isOfMembers));
      return this.keep(manager, row, { attributes, facts: groupFactsOf(attributes), members }, 'scim-group.change', by);
    });
  }

  /** @throws ScimError 404 WDR_SCIM_RESOURCE_UNKNOWN; 412 WDR_VERSION_MISMATCH */
  async remove(id: string, condition: Condition, by: AdminActor): Promise<void> {
    await this.change(async (manager) => {
      const { displayName } = await this.find(manager, id, condition);
      const members = [...(await this.memberships.membersOf(manager, id))];
      await manager.delete(ScimGroup, { id });
      const principalsChanged = await this.memberships.follow(manager, members, true);
      await this.store.record(manager, 'scim-group.delete', by, { id, displayName, members, principalsChanged });
    });
  }

  private wishOf(body: unknown): Wish {
    const { members, ...attributes } = attributesOf(body);
    return { attributes, facts: groupFactsOf(attributes), members: new Set(memberIdsOf(members)) };
  }

  /** Writes what has changed, with its record, and gives members what follows from it. */
  private async keep(
    manager: EntityManager,
    row: ScimGroup,
    { attributes, facts, members }: Wish,
    action: string,
    by: AdminActor,
  ): Promise<Resource> {
    if (members.size > this.bounds.membersMax) {
      throw new ScimError(409, 'WDR_SCIM_LIMIT', `a group has ${this.bounds.membersMax} members at most`);
    }
    const before = await this.memberships.membersOf(manager, row.id);
    const { added, removed } = await this.memberships.setMembers(manager, row.id, before, members);
    const isRenamed = facts.displayName !== row.displayName;
    const isOther = row.version === 0 || !isDeepStrictEqual(attributes, row.attributes);
    if (isOther || added.length > 0 || removed.length > 0) {
      const modifiedAtMs = String(this.store.wallMs());
      await manager.save(ScimGroup, nextVersion(row, { ...facts, attributes, modifiedAtMs }));
      // A new name may mean something else to everybody who is in the group.
      const touched = isRenamed ? [...new Set([...before, ...members])] : [...added, ...removed];
      const principalsChanged = await this.memberships.follow(manager, touched, true);
      const { displayName } = facts;
      await this.store.record(manager, action, by, { id: row.id, displayName, added, removed, principalsChanged });
    }
    const [resource] = await this.load(manager, [row.id], true);
    return resource!;
  }

  private async find(manager: EntityManager, id: string, condition: Condition): Promise<ScimGroup> {
    const row = await manager.findOneBy(ScimGroup, { id });
    if (!row) throw unknownGroup();
    checkVersion(condition, groupVersion(row));
    return row;
  }

  private async load(manager: EntityManager, ids: readonly string[], wantsMembers: boolean): Promise<Resource[]> {
    const rows = await manager.find(ScimGroup, { where: { id: In([...ids]) }, order: { id: 'ASC' } });
    const members = wantsMembers ? await this.shownMembers(manager, ids) : undefined;
    return rows.map((row) =>
      groupResource(row, members === undefined ? undefined : (members.get(row.id) ?? []), this.urlOf),
    );
  }

  private async shownMembers(manager: EntityManager, ids: readonly string[]): Promise<Map<string, GroupMember[]>> {
    const rows = (await manager.query(
      `SELECT member.group_id, member.principal_id AS id, known.user_name AS display
        FROM scim_member AS member JOIN scim_user AS known ON known.principal_id = member.principal_id
        WHERE member.group_id = ANY ($1) ORDER BY member.principal_id`,
      [ids],
    )) as (GroupMember & { group_id: string })[];
    const found = new Map<string, GroupMember[]>();
    for (const { group_id, ...member } of rows) {
      const known = found.get(group_id);
      if (known === undefined) found.set(group_id, [member]);
      else known.push(member);
    }
    return found;
  }

  private async change<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.store.change(work);
    } catch (error) {
      if (!isUniqueViolation(error, 'scim_group_name')) throw error;
      throw new ScimError(409, 'WDR_SCIM_NAME_TAKEN', 'another group has this displayName', 'uniqueness');
    }
  }
}

function unknownGroup(): ScimError {
  return new ScimError(404, 'WDR_SCIM_RESOURCE_UNKNOWN', 'no group has this id');
}
