import type { Role } from '@warder/contracts';
import type { AdminAction, AdminActor } from '@warder/postgres';
import type { EntityManager } from 'typeorm';
import { holdersOf, releaseAccess, statusUnder } from '../access-holds.store.js';
import type { GrantsStore } from '../authorization/grants.store.js';
import { type GroupRule, mapGroups } from '../group-rules.js';
import type { IdentityStore } from '../identity.store.js';
import type { LivenessStore } from '../liveness/liveness.store.js';
import { nextVersion } from '../next-version.js';
import { isLastAdministrator, isOffboarded } from '../offboarding.store.js';
import { Principal } from '../principal.entity.js';

/** Longer than any message of a provider that says when it was made is taken after it. */
const MESSAGE_KEPT_MS = 3_600_000;

/** A person as a provider knows them. */
export interface PersonThere {
  /** Id of the provider here, and of the person there. */
  readonly provider: string;
  readonly subject: string;
}

/** Somebody whom a provider vouches for. */
export interface Vouched extends PersonThere {
  readonly name: string;
  /** Null where the provider does not say that it is the person's. */
  readonly email: string | null;
  /** Names of groups there; null where the provider does not tell. */
  readonly groups: readonly string[] | null;
  /** By which the provider can be asked later whether the person is still there; null or absent where it cannot. */
  readonly refreshToken?: string | null;
}

/** Somebody who signed in at a provider that vouches for them. */
export interface SignedInThere extends Vouched {
  /** When the person last said there who they are, wall milliseconds; null where the provider cannot be believed to tell. */
  readonly authenticatedAtMs: number | null;
}

/** What is done with people who come for the first time. */
export interface Welcome {
  /** Whether somebody who is not known here becomes a principal. */
  readonly creates: boolean;
  /** Whether a principal that an administrator or SCIM made is recognised by its address. */
  readonly linksByEmail: boolean;
}

/** People as providers tell of them, and the principals that they are here. */
export class PeopleStore {
  constructor(
    private readonly store: IdentityStore,
    private readonly grants: GrantsStore,
    private readonly rules: readonly GroupRule[],
    private readonly recordAction: (manager: EntityManager, action: AdminAction) => Promise<void>,
    private readonly liveness: Pick<LivenessStore, 'keep' | 'askSoon'>,
  ) {}

  /**
   * The principal whom the provider vouches for; made or changed as it says.
   * @param address - of the browser
   * @returns undefined where nobody is to be let in
   */
  async signedIn(vouched: Vouched, welcome: Welcome, address: string): Promise<Principal | undefined> {
    return this.store.change(async (manager) => {
      const found = await this.seenAgain(manager, await this.find(manager, vouched, welcome), vouched);
      const known = found ?? (welcome.creates ? await this.create(manager, vouched) : undefined);
      if (known?.status !== 'active') return undefined;
      const principal = await this.follow(manager, known, vouched);
      await this.liveness.keep(manager, principal.id, vouched.provider, vouched.refreshToken ?? null);
      await this.record(manager, principal, address, { provider: vouched.provider, subject: vouched.subject });
      return principal;
    });
  }

  /**
   * Whether a message with this id comes for the first time; it is remembered for as long as it could be taken.
   * @param takenUntilMs - wall milliseconds after which nobody would take it, where it lives longer than others
   */
  async isFirst(messageId: string, takenUntilMs = 0): Promise<boolean> {
    return this.takeMessage(this.store.source.manager, messageId, takenUntilMs);
  }

  /** Puts a sign-in of the local directory on record. */
  async signedInHere(principal: Principal, address: string): Promise<void> {
    await this.store.change((manager) => this.record(manager, principal, address, { provider: 'local' }));
  }

  /** The principal, where it may sign in now. */
  async active(id: string): Promise<Principal | undefined> {
    const found = await this.store.source.manager.findOneBy(Principal, { id });
    return found?.status === 'active' ? found : undefined;
  }

  /**
   * The principal of somebody whom a provider vouches for without a sign-in: linked already, or linked now by the address,
   * by the rules of a sign-in.
   */
  async recognised(vouched: Vouched): Promise<Principal | undefined> {
    return this.store.change((manager) => this.find(manager, vouched, { creates: false, linksByEmail: true }));
  }

  /** The principal of a person at a provider. */
  async bySubject(provider: string, subject: string): Promise<Principal | undefined> {
    return this.linked(this.store.source.manager, provider, subject);
  }

  /**
   * Ends everything that a person signed in to: sessions, clients and their tokens. Personal tokens stay.
   * @param why - for the record
   */
  async signOut(id: string, by: AdminActor, why: object): Promise<Principal | undefined> {
    return this.store.change(async (manager) => {
      const before = await manager.findOneBy(Principal, { id });
      if (before === null) return undefined;
      return this.signOutWithin(manager, before, by, why);
    });
  }

  /**
   * Signs out whom a provider's message names, as `signOut`. That the message was taken is committed with what it did: one
   * that failed on the way may come again.
   * @returns whether it came for the first time
   */
  async signOutOnce(messageId: string, person: PersonThere, by: AdminActor, why: object): Promise<boolean> {
    return this.store.change(async (manager) => {
      if (!(await this.takeMessage(manager, messageId))) return false;
      const known = await this.linked(manager, person.provider, person.subject);
      if (known !== undefined) await this.signOutWithin(manager, known, by, why);
      return true;
    });
  }

  /** The same within a change that is under way. */
  async signOutWithin(manager: EntityManager, before: Principal, by: AdminActor, why: object): Promise<Principal> {
    const { id } = before;
    const row = nextVersion(before, { signedOutAtMs: String(this.store.wallMs()) });
    await this.store.savePrincipals(manager, [row]);
    const clients = await this.grants.end(manager, id);
    // A sign-out elsewhere may be the only sign of an account that is gone, with which personal tokens end too.
    await this.liveness.askSoon(manager, id);
    await this.store.record(manager, 'principal.sign-out', by, { id, ...why, clients });
    return row;
  }

  private async takeMessage(manager: EntityManager, messageId: string, takenUntilMs = 0): Promise<boolean> {
    const expiresAtMs = Math.max(takenUntilMs, this.store.wallMs() + MESSAGE_KEPT_MS);
    const rows: unknown[] = await manager.query(
      `INSERT INTO oauth_item (model, id, payload, expires_at) VALUES ('Message', $1, '{}', to_timestamp($2::numeric / 1000))
       ON CONFLICT DO NOTHING RETURNING id`,
      [messageId, expiresAtMs],
    );
    return rows.length > 0;
  }

  /** Lets in again whom the provider kept out until it had seen them sign in, and whom nobody else keeps out. */
  private async seenAgain(
    manager: EntityManager,
    known: Principal | undefined,
    { provider }: Vouched,
  ): Promise<Principal | undefined> {
    if (known?.status !== 'suspended') return known;
    const holder = `sign-in/${provider}` as const;
    if (!(await holdersOf(manager, known.id)).has(holder)) return known;
    await releaseAccess(manager, known.id, holder);
    const status = statusUnder(known.status, await holdersOf(manager, known.id));
    if (status === known.status) return known;
    const row = nextVersion(known, { status });
    await this.store.savePrincipals(manager, [row]);
    const by = { principal: null, token: null, address: '' };
    await this.store.record(manager, 'principal.change', by, { id: row.id, status, why: 'signed in again', provider });
    return row;
  }

  private record(manager: EntityManager, principal: Principal, address: string, given: object): Promise<void> {
    const { id, version, status, kind, name, email, groups, roles } = principal;
    return this.recordAction(manager, {
      kind: 'authentication',
      action: 'sign-in.complete',
      by: { principal: { id, version, status, kind, name, email, groups, roles }, token: null, address },
      arguments: given,
    });
  }

  /** Whoever is linked, or has the address; whom the link names and who was removed, where nobody living has it. */
  private async find(manager: EntityManager, vouched: Vouched, welcome: Welcome): Promise<Principal | undefined> {
    const linked = await this.linked(manager, vouched.provider, vouched.subject);
    if (linked !== undefined && linked.status !== 'removed') return linked;
    if (!welcome.linksByEmail || vouched.email === null) return linked;
    // An address that the provider gave to somebody else (OpenID Connect Core section 5.7) opens nothing of its first owner.
    const [found]: { id: string }[] = await manager.query(
      `SELECT id FROM principal WHERE lower(email) = lower($1) AND status <> 'removed' AND kind = 'human'
         AND NOT EXISTS (SELECT 1 FROM identity_link WHERE principal_id = principal.id AND provider = $2)`,
      [vouched.email, vouched.provider],
    );
    if (found === undefined) return linked;
    await this.link(manager, vouched, found.id);
    // Another version, for every node is to hear who the principal is there.
    const next = nextVersion(await manager.findOneByOrFail(Principal, { id: found.id }), {});
    await this.store.savePrincipals(manager, [next]);
    return next;
  }

  private async linked(manager: EntityManager, provider: string, subject: string): Promise<Principal | undefined> {
    const [found]: { principal_id: string }[] = await manager.query(
      'SELECT principal_id FROM identity_link WHERE provider = $1 AND subject = $2',
      [provider, subject],
    );
    if (found === undefined) return undefined;
    return (await manager.findOneBy(Principal, { id: found.principal_id })) ?? undefined;
  }

  private async create(manager: EntityManager, vouched: Vouched): Promise<Principal | undefined> {
    const { email, name, groups } = vouched;
    // Another principal has the address, or had it and was removed: an administrator has to say who this is.
    if (email !== null && (await wasTaken(manager, email))) return undefined;
    const mapped = mapGroups(this.rules, groups ?? []);
    const row: Principal = {
      id: this.store.newId('usr'),
      version: 1,
      status: 'active',
      kind: 'human',
      name,
      email,
      groups: mapped.groups,
      roles: mapped.roles.length > 0 ? mapped.roles : ['member'],
    };
    await this.store.savePrincipals(manager, [row]);
    await this.link(manager, vouched, row.id);
    const by = { principal: null, token: null, address: '' };
    const { id, roles } = row;
    const given = { id, name, email, groups: row.groups, roles, provider: vouched.provider };
    await this.store.record(manager, 'principal.create', by, given);
    return row;
  }

  /** Groups and roles as the provider tells them at each sign-in, where it does and SCIM does not. */
  private async follow(manager: EntityManager, known: Principal, { groups, provider }: Vouched): Promise<Principal> {
    if (groups === null || (await isOfScim(manager, known.id))) return known;
    const mapped = mapGroups(this.rules, groups);
    const roles: Role[] = mapped.roles.length > 0 ? mapped.roles : ['member'];
    const isSame = String(mapped.groups) === String(known.groups) && String(roles) === String(known.roles);
    if (isSame) return known;
    const next = nextVersion(known, { groups: mapped.groups, roles });
    if (!roles.includes('admin') && (await isLastAdministrator(manager, known))) next.roles = known.roles;
    await this.store.savePrincipals(manager, [next]);
    const by = { principal: null, token: null, address: '' };
    await this.store.record(manager, 'principal.change', by, {
      id: known.id,
      groups: next.groups,
      roles: next.roles,
      provider,
    });
    return next;
  }

  private async link(manager: EntityManager, { provider, subject }: Vouched, principalId: string): Promise<void> {
    await manager.query(
      `INSERT INTO identity_link (provider, subject, principal_id) VALUES ($1, $2, $3)
       ON CONFLICT (provider, subject) DO UPDATE SET principal_id = excluded.principal_id`,
      [provider, subject, principalId],
    );
  }
}

async function wasTaken(manager: EntityManager, email: string): Promise<boolean> {
  const found: unknown[] = await manager.query('SELECT 1 FROM principal WHERE lower(email) = lower($1) LIMIT 1', [
    email,
  ]);
  return found.length > 0 || isOffboarded(manager, { names: [email.toLowerCase()], externalId: null, exceptId: '' });
}

async function isOfScim(manager: EntityManager, principalId: string): Promise<boolean> {
  const found: unknown[] = await manager.query(
    'SELECT 1 FROM scim_user WHERE principal_id = $1 AND deleted_at_ms IS NULL',
    [principalId],
  );
  return found.length > 0;
}
