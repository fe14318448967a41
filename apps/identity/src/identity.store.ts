import { randomBytes } from 'node:crypto';
import { type PrincipalState, principalStateTopic, type TokenState, tokenStateTopic } from '@warder/contracts';
import { type AdminActor, type Outbox, recordIdOf } from '@warder/postgres';
import { type DataSource, type EntityManager, MoreThan } from 'typeorm';
import { Principal, principalStateOf, SCIM_SUBJECTS } from './principal.entity.js';
import { previousStateOf, Token, tokenStateOf } from './token.entity.js';

/** Expired tokens are told again for this long after their expiry, for clocks that disagree. */
const EXPIRED_KEPT_MS = 86_400_000;
const REPUBLISH_ROWS = 1_000;
const SAVED_ROWS = 500;

/** Writes rows, their messages and the record of the change in one transaction, one change at a time. */
export class IdentityStore {
  private readonly others: ((manager: EntityManager) => Promise<void>)[] = [];
  private readonly followers: ((manager: EntityManager, rows: readonly Principal[]) => Promise<void>)[] = [];
  /** Of a change that runs: told at its end, when who they are elsewhere is written too. */
  private readonly changed = new WeakMap<EntityManager, Map<string, Principal>>();

  constructor(
    readonly source: DataSource,
    private readonly outbox: Outbox,
    readonly wallMs: () => number,
  ) {}

  /** Runs a change. Changes are rare and few; one lock for all of them leaves no order to reason about. */
  change<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.source.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(hashtext('warder-identity'))`);
      const changed = new Map<string, Principal>();
      this.changed.set(manager, changed);
      const result = await work(manager);
      await this.publishPrincipals(manager, [...changed.values()]);
      return result;
    });
  }

  /** An id that sorts by the time it was made. */
  newId(prefix: 'usr' | 'svc' | 'pat' | 'grp' | 'sec'): string {
    return `${prefix}_${recordIdOf(this.wallMs(), randomBytes).replaceAll('-', '')}`;
  }

  async savePrincipals(manager: EntityManager, rows: readonly Principal[]): Promise<void> {
    if (rows.length === 0) return;
    // One statement for many: a group of the directory may have as many members.
    for (let at = 0; at < rows.length; at += SAVED_ROWS) {
      await manager.upsert(Principal, rows.slice(at, at + SAVED_ROWS), ['id']);
    }
    const changed = this.changed.get(manager);
    if (changed === undefined) await this.publishPrincipals(manager, rows);
    else for (const row of rows) changed.set(row.id, row);
    for (const follow of this.followers) await follow(manager, rows);
  }

  /** Has `follow` see every change of a principal within its transaction, whoever made it. */
  alsoFollow(follow: (manager: EntityManager, rows: readonly Principal[]) => Promise<void>): void {
    this.followers.push(follow);
  }

  async saveTokens(manager: EntityManager, rows: readonly Token[]): Promise<void> {
    if (rows.length === 0) return;
    await manager.save(Token, [...rows], { chunk: 500 });
    await this.publishTokens(manager, rows);
  }

  /** Ends the one secret for good; its token goes on, by the secret that came after it. */
  async endSecret(manager: EntityManager, digest: string, state: TokenState): Promise<void> {
    await this.outbox.enqueueAll(manager, tokenStateTopic, [{ key: digest, message: { ...state, status: 'revoked' } }]);
  }

  record(manager: EntityManager, action: string, by: AdminActor, given: object): Promise<void> {
    return this.outbox.recordAdminAction(manager, { action, by, arguments: given });
  }

  /** Has `republish` tell of more than principals and tokens. */
  alsoRepublish(part: (manager: EntityManager) => Promise<void>): void {
    this.others.push(part);
  }

  /** Publishes every state again: a broker may have lost it, and an in-process bus keeps nothing. */
  async republish(): Promise<void> {
    await this.change(async (manager) => {
      for (let after = ''; ;) {
        const rows = await manager.find(Principal, {
          where: { id: MoreThan(after) },
          order: { id: 'ASC' },
          take: REPUBLISH_ROWS,
        });
        await this.publishPrincipals(manager, rows);
        if (rows.length < REPUBLISH_ROWS) break;
        after = rows.at(-1)!.id;
      }
      const expiresAtMs = MoreThan(String(this.wallMs() - EXPIRED_KEPT_MS));
      for (let after = ''; ;) {
        const where = { id: MoreThan(after), expiresAtMs };
        const rows = await manager.find(Token, { where, order: { id: 'ASC' }, take: REPUBLISH_ROWS });
        await this.publishTokens(manager, rows);
        if (rows.length < REPUBLISH_ROWS) break;
        after = rows.at(-1)!.id;
      }
      for (const other of this.others) await other(manager);
    });
  }

  private async publishPrincipals(manager: EntityManager, rows: readonly Principal[]): Promise<void> {
    if (rows.length === 0) return;
    const ids = rows.map(({ id }) => id);
    const [subjects, owners] = [await subjectsOf(manager, ids), await ownersOf(manager, ids)];
    const entries = rows.map((row) => {
      const [own, ownerId] = [subjects.get(row.id), owners.get(row.id)];
      const message = {
        ...principalStateOf(row),
        ...(own === undefined ? {} : { subjects: own }),
        ...(ownerId === undefined ? {} : { ownerId }),
      };
      return { key: row.id, message };
    });
    await this.outbox.enqueueAll(manager, principalStateTopic, entries);
  }

  private async publishTokens(manager: EntityManager, rows: readonly Token[]): Promise<void> {
    const since = this.wallMs() - EXPIRED_KEPT_MS;
    const entries = rows.flatMap((row) => {
      const previous = previousStateOf(row);
      const isKept = previous !== undefined && previous.message.expiresAtMs > since;
      return [...(isKept ? [previous] : []), { key: row.digest, message: tokenStateOf(row) }];
    });
    if (entries.length > 0) await this.outbox.enqueueAll(manager, tokenStateTopic, entries);
  }
}

/** Who answers for those that are service accounts. */
async function ownersOf(manager: EntityManager, ids: readonly string[]): Promise<Map<string, string>> {
  const rows: { id: string; owner: string }[] = await manager.query(
    'SELECT principal_id AS id, owner_id AS owner FROM service_account WHERE principal_id = ANY($1)',
    [ids],
  );
  return new Map(rows.map(({ id, owner }) => [id, owner]));
}

/** Who the principals are elsewhere; without those who are nobody. */
async function subjectsOf(
  manager: EntityManager,
  ids: readonly string[],
): Promise<Map<string, NonNullable<PrincipalState['subjects']>>> {
  const rows: { id: string; provider: string; subject: string }[] = await manager.query(
    `SELECT principal_id AS id, provider, subject FROM identity_link WHERE principal_id = ANY($1)
     UNION ALL SELECT principal_id, $2, external_id FROM scim_user
       WHERE external_id IS NOT NULL AND deleted_at_ms IS NULL AND principal_id = ANY($1)
     ORDER BY 1, 2, 3`,
    [ids, SCIM_SUBJECTS],
  );
  const found = new Map<string, { provider: string; subject: string }[]>();
  for (const { id, provider, subject } of rows) found.set(id, [...(found.get(id) ?? []), { provider, subject }]);
  return found;
}
