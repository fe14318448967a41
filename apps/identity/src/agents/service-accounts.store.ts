import type { ChangeServiceAccount, CreateServiceAccount, IdentityPage, PrincipalState } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { type EntityManager, In } from 'typeorm';
import { holdersOf } from '../access-holds.store.js';
import type { IdentityStore } from '../identity.store.js';
import { accountVersion, nextVersion } from '../next-version.js';
import { Principal, principalStateOf } from '../principal.entity.js';

/** A service account as it is told of. */
export type ServiceAccountView = PrincipalState & {
  readonly team: string;
  readonly ownerId: string;
  readonly description: string;
  readonly createdAtMs: number;
};

interface Row {
  readonly principal_id: string;
  readonly owner_id: string;
  readonly team: string;
  readonly description: string;
  readonly created_at_ms: string;
}

const SERVICE: AdminActor = { principal: null, token: null, address: '' };

/**
 * Accounts of programs. Each has a person who answers for it, and works only while that person is active: whoever
 * leaves takes no robot's key along. An administrator names the next owner, and it goes on.
 */
export class ServiceAccountsStore {
  /** @param perOwnerMax - accounts of one owner that are not removed */
  constructor(
    private readonly store: IdentityStore,
    private readonly perOwnerMax: number,
  ) {
    store.alsoFollow((manager, rows) => this.follow(manager, rows));
  }

  /** A page in the order of creation; `next` is null on the last one. */
  async list({ after, limit }: IdentityPage): Promise<{ serviceAccounts: ServiceAccountView[]; next: string | null }> {
    const { manager } = this.store.source;
    const rows: Row[] = await manager.query(
      'SELECT * FROM service_account WHERE principal_id > $1 ORDER BY principal_id LIMIT $2',
      [after ?? '', limit + 1],
    );
    const page = rows.slice(0, limit);
    const found = await manager.findBy(Principal, { id: In(page.map((row) => row.principal_id)) });
    const byId = new Map(found.map((principal) => [principal.id, principal]));
    return {
      serviceAccounts: page.map((row) => viewOf(byId.get(row.principal_id)!, row)),
      next: rows.length > limit ? page.at(-1)!.principal_id : null,
    };
  }

  /** @throws AdminError 404 WDR_SERVICE_ACCOUNT_UNKNOWN */
  async get(id: string): Promise<ServiceAccountView> {
    const { principal, row } = await this.find(this.store.source.manager, id);
    return viewOf(principal, row);
  }

  /** @throws AdminError 409 WDR_OWNER_INACTIVE or WDR_SERVICE_ACCOUNT_LIMIT */
  async create(body: CreateServiceAccount, by: AdminActor): Promise<ServiceAccountView> {
    const { name, groups, team, ownerId, description } = body;
    return this.store.change(async (manager) => {
      await ensureActiveOwner(manager, ownerId);
      await this.ensureRoom(manager, ownerId);
      const id = this.store.newId('svc');
      const principal: Principal = {
        id,
        version: 1,
        status: 'active',
        kind: 'service',
        name,
        email: null,
        groups: [...new Set(groups)],
        roles: ['member'],
      };
      await this.store.savePrincipals(manager, [principal]);
      const row: Row = {
        principal_id: id,
        owner_id: ownerId,
        team,
        description,
        created_at_ms: String(this.store.wallMs()),
      };
      await manager.query(
        `INSERT INTO service_account (principal_id, owner_id, team, description, created_at_ms)
         VALUES ($1, $2, $3, $4, $5)`,
        [id, ownerId, team, description, row.created_at_ms],
      );
      await this.store.record(manager, 'service-account.create', by, { id, ...body });
      return viewOf(principal, row);
    });
  }

  /**
   * Changes what the body names. With a new owner it goes on, where nothing else keeps it out.
   * @throws AdminError 404 WDR_SERVICE_ACCOUNT_UNKNOWN; 409 WDR_PRINCIPAL_REMOVED, WDR_OWNER_INACTIVE or
   * WDR_SERVICE_ACCOUNT_LIMIT
   */
  async change(id: string, body: ChangeServiceAccount, by: AdminActor): Promise<ServiceAccountView> {
    return this.store.change(async (manager) => {
      const { principal: before, row } = await this.find(manager, id);
      if (before.status === 'removed') throw new AdminError(409, 'WDR_PRINCIPAL_REMOVED', `${id} was removed for good`);
      const { ownerId = row.owner_id, team = row.team, description = row.description } = body;
      const isHandedOver = ownerId !== row.owner_id;
      if (isHandedOver) {
        await ensureActiveOwner(manager, ownerId);
        await this.ensureRoom(manager, ownerId);
      }
      await manager.query(
        'UPDATE service_account SET owner_id = $2, team = $3, description = $4 WHERE principal_id = $1',
        [id, ownerId, team, description],
      );
      const status = isHandedOver ? await statusUnder(manager, before, true) : before.status;
      const { name = before.name, groups = before.groups } = body;
      const principal = nextVersion(before, { name, groups: [...new Set(groups)], status });
      await this.store.savePrincipals(manager, [principal]);
      await this.store.record(manager, 'service-account.change', by, { id, ...body });
      return viewOf(principal, { ...row, owner_id: ownerId, team, description });
    });
  }

  /** @throws AdminError 404 WDR_SERVICE_ACCOUNT_UNKNOWN */
  async find(manager: EntityManager, id: string): Promise<{ principal: Principal; row: Row }> {
    const [row]: Row[] = await manager.query('SELECT * FROM service_account WHERE principal_id = $1', [id]);
    if (row === undefined) throw new AdminError(404, 'WDR_SERVICE_ACCOUNT_UNKNOWN', 'no service account has this id');
    return { principal: await manager.findOneByOrFail(Principal, { id }), row };
  }

  /** Stops the accounts of owners who stopped, and lets them go on with their owners. */
  private async follow(manager: EntityManager, rows: readonly Principal[]): Promise<void> {
    const people = new Map(rows.filter(({ kind }) => kind === 'human').map((row) => [row.id, row.status === 'active']));
    if (people.size > 0) await this.followOwners(manager, people);
    const going = rows.filter(({ kind, status }) => kind === 'service' && status === 'active').map(({ id }) => id);
    if (going.length === 0) return;
    const [orphan]: { principal_id: string }[] = await manager.query(
      `SELECT account.principal_id FROM service_account account JOIN principal ON principal.id = account.owner_id
       WHERE account.principal_id = ANY($1) AND principal.status <> 'active' LIMIT 1`,
      [going],
    );
    if (orphan === undefined) return;
    throw new AdminError(
      409,
      'WDR_OWNER_INACTIVE',
      `the owner of ${orphan.principal_id} is not active: name another one first`,
    );
  }

  private async followOwners(manager: EntityManager, people: ReadonlyMap<string, boolean>): Promise<void> {
    const owned: Pick<Row, 'principal_id' | 'owner_id'>[] = await manager.query(
      'SELECT principal_id, owner_id FROM service_account WHERE owner_id = ANY($1) ORDER BY principal_id',
      [[...people.keys()]],
    );
    for (const { principal_id: id, owner_id: ownerId } of owned) {
      const account = await manager.findOneByOrFail(Principal, { id });
      const isOwned = people.get(ownerId) === true;
      const status = await statusUnder(manager, account, isOwned);
      if (status === account.status) continue;
      await this.store.savePrincipals(manager, [accountVersion(account, { status }, this.store.wallMs())]);
      const action = isOwned ? 'service-account.resume' : 'service-account.stop';
      await this.store.record(manager, action, SERVICE, {
        id,
        ownerId,
        why: isOwned ? 'owner active' : 'owner inactive',
      });
    }
  }

  private async ensureRoom(manager: EntityManager, ownerId: string): Promise<void> {
    const [{ held }] = (await manager.query(
      `SELECT count(*)::int AS held FROM service_account account JOIN principal ON principal.id = account.principal_id
       WHERE account.owner_id = $1 AND principal.status <> 'removed'`,
      [ownerId],
    )) as [{ held: number }];
    if (held < this.perOwnerMax) return;
    throw new AdminError(
      409,
      'WDR_SERVICE_ACCOUNT_LIMIT',
      `a person owns ${this.perOwnerMax} service accounts at most`,
    );
  }
}

async function statusUnder(
  manager: EntityManager,
  { id, status }: Principal,
  isOwned: boolean,
): Promise<Principal['status']> {
  if (status === 'removed') return 'removed';
  return isOwned && (await holdersOf(manager, id)).size === 0 ? 'active' : 'suspended';
}

async function ensureActiveOwner(manager: EntityManager, ownerId: string): Promise<void> {
  const owner = await manager.findOneBy(Principal, { id: ownerId });
  if (owner?.kind === 'human' && owner.status === 'active') return;
  throw new AdminError(409, 'WDR_OWNER_INACTIVE', 'the owner of a service account is a person, and active');
}

function viewOf(principal: Principal, row: Row): ServiceAccountView {
  const { team, description, owner_id: ownerId } = row;
  return { ...principalStateOf(principal), team, ownerId, description, createdAtMs: Number(row.created_at_ms) };
}
