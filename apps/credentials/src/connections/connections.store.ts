import { type ConnectionKind, isKept } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import type { GrantedTokens } from '@warder/provider-catalog';
import { AdminError } from '@warder/service-host';
import { type EntityManager, type FindOperator, In, IsNull, Not } from 'typeorm';
import { Connection } from './connection.entity.js';
import { FORGOTTEN, ITSELF, recordedOf } from './connection-row.js';
import type { ConnectionStates } from './connection-states.store.js';
import { type Established, findLinked, freshLinked } from './established.store.js';
import { Provider } from './provider.entity.js';
import { placeOf } from './provider-place.js';
import { refreshAtMs } from './refresh-schedule.js';
import type { SealedTokens } from './sealed-tokens.js';

/** What is told of a connection; never a token. */
export interface ConnectionView {
  readonly id: string;
  readonly version: number;
  readonly status: Connection['status'];
  readonly reason: string | null;
  readonly kind: ConnectionKind;
  readonly provider: string;
  readonly principalId: string | null;
  readonly ownerId: string | null;
  readonly accountId: string | null;
  readonly accountName: string | null;
  readonly generation: number;
  readonly scopes: readonly string[];
  readonly expiresAtMs: number | null;
  /** Its owner is suspended: no call uses it and nothing refreshes it, until they are back. */
  readonly isResting: boolean;
  readonly connectedAtMs: number;
}

const PAGE_ROWS = 1_000;

/** Connections and who they belong to. */
export class ConnectionsStore {
  constructor(
    private readonly states: ConnectionStates,
    private readonly tokens: SealedTokens,
    private readonly random: () => number = Math.random,
  ) {}

  /** @param principalId - whose; undefined: everybody's. The newest first, a bounded number. */
  async list(principalId?: string, limit = PAGE_ROWS): Promise<ConnectionView[]> {
    const rows = await this.states.source.manager.find(Connection, {
      ...(principalId === undefined ? {} : { where: [{ principalId }, { ownerId: principalId }] }),
      order: { connectedAtMs: 'DESC', id: 'ASC' },
      take: limit,
    });
    return rows.map(connectionViewOf);
  }

  /** Those that nobody owns alone. */
  async shared(): Promise<ConnectionView[]> {
    const rows = await this.states.source.manager.find(Connection, {
      where: { principalId: IsNull() },
      order: { provider: 'ASC' },
      take: PAGE_ROWS,
    });
    return rows.map(connectionViewOf);
  }

  async find(id: string): Promise<ConnectionView | undefined> {
    const row = await this.states.source.manager.findOneBy(Connection, { id });
    return row === null ? undefined : connectionViewOf(row);
  }

  /** @throws AdminError 404 WDR_CONNECTION_UNKNOWN */
  async get(id: string): Promise<ConnectionView> {
    const found = await this.find(id);
    if (found === undefined) throw unknown();
    return found;
  }

  /**
   * Links an account, in place of whatever was linked before. Tokens of another account are ended at the provider; of the
   * same one they are left, for some providers end everything of an account at once.
   */
  async establish(link: Established, by: AdminActor): Promise<ConnectionView> {
    for (;;) {
      const seen = (await findLinked(this.states.source.manager, link)) ?? freshLinked(link);
      // Before anything is locked: a store that is slow holds up nobody else. Ended by a store that is away.
      const sealed = await this.sealedFor(seen, link.tokens);
      const view = await this.write(link, seen, sealed, by);
      if (view !== undefined) return view;
    }
  }

  private async sealedFor(
    { id, generation }: Connection,
    tokens: Established['tokens'],
  ): Promise<Pick<Connection, 'generation' | 'accessToken' | 'refreshToken'>> {
    const next = generation + 1;
    return {
      generation: next,
      accessToken: await this.tokens.seal(id, 'access_token', next, tokens.accessToken),
      refreshToken: await this.tokens.seal(id, 'refresh_token', next, tokens.refreshToken ?? null),
    };
  }

  /** @returns undefined where the row is another one, or of another generation, than the tokens were sealed for */
  private write(
    link: Established,
    seen: Connection,
    sealed: Pick<Connection, 'generation' | 'accessToken' | 'refreshToken'>,
    by: AdminActor,
  ): Promise<ConnectionView | undefined> {
    const { provider, kind, principalId, account, tokens } = link;
    return this.states.source.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `connection ${provider} ${kind} ${principalId ?? ''}`,
      ]);
      await ensureInPlace(manager, link);
      const before = await findLinked(manager, link, 'locked');
      const row = before ?? seen;
      if (row.id !== seen.id || row.generation !== seen.generation) return undefined;
      const isOther = before !== undefined && account !== undefined && before.accountId !== account.id;
      if (isOther) await this.states.endTokens(manager, before, 'replaced');
      const nowMs = this.states.wallMs();
      const next = await this.states.save(manager, row, {
        ...FORGOTTEN,
        status: 'active',
        reason: null,
        ownerId: by.principal?.id ?? row.ownerId,
        accountId: account?.id ?? null,
        accountName: account?.name ?? null,
        facts: link.facts,
        scopes: tokens.scopes ?? link.scopes,
        ...sealed,
        expiresAtMs: tokens.expiresAtMs === undefined ? null : String(tokens.expiresAtMs),
        refreshAtMs: this.dueAt(kind, tokens, nowMs),
        connectedAtMs: String(nowMs),
      });
      const action = before === undefined ? 'connection.create' : 'connection.replace';
      await this.states.record(manager, { action, by, arguments: recordedOf(next) });
      return connectionViewOf(next);
    });
  }

  /**
   * Ends a connection: its tokens are gone from the store at once, and ended at the provider after.
   * @param principalId - whose it has to be; undefined: anybody's
   * @throws AdminError 404 WDR_CONNECTION_UNKNOWN
   */
  async disconnect(id: string, by: AdminActor, principalId?: string): Promise<ConnectionView> {
    return this.states.source.transaction(async (manager) => {
      const row = await this.states.lock(manager, id);
      if (row === null || (principalId !== undefined && ownerOf(row) !== principalId)) throw unknown();
      if (row.status === 'disconnected' || row.status === 'revoked') return connectionViewOf(row);
      return connectionViewOf(await this.end(manager, row, 'disconnected', by));
    });
  }

  /** Ends what somebody who left had. Shared ones of theirs go on, for others use them, and wait for a new owner. */
  async endOf(principalId: string): Promise<readonly string[]> {
    return this.states.source.transaction(async (manager) => {
      const live = (kind: FindOperator<ConnectionKind>): Promise<Connection[]> =>
        manager.find(Connection, {
          where: { principalId, kind, status: In(['active', 'reconnect_required']) },
          lock: { mode: 'pessimistic_write' },
        });
      const ended: string[] = [];
      // What is had for a person's token ends with that token; its rows are read and locked after it.
      for (const kind of [Not(In(['token_exchange'])), In(['token_exchange'])] as FindOperator<ConnectionKind>[]) {
        for (const row of await live(kind)) {
          await this.end(manager, row, 'revoked', ITSELF, 'owner_left');
          ended.push(row.id);
        }
      }
      return ended;
    });
  }

  /** Ids of people who have connections. */
  async owners(): Promise<readonly string[]> {
    const rows: { id: string }[] = await this.states.source.query(
      `SELECT DISTINCT principal_id AS id FROM connection
       WHERE principal_id IS NOT NULL AND status IN ('active', 'reconnect_required')`,
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Has somebody else answer for a shared connection.
   * @throws AdminError 404 WDR_CONNECTION_UNKNOWN; 409 WDR_CONNECTION_PERSONAL
   */
  async handOver(id: string, ownerId: string, by: AdminActor): Promise<ConnectionView> {
    return this.states.source.transaction(async (manager) => {
      const row = await this.states.lock(manager, id);
      if (row === null) throw unknown();
      if (row.principalId !== null)
        throw new AdminError(409, 'WDR_CONNECTION_PERSONAL', 'a connection of a person is nobody else’s');
      const next = await this.states.save(manager, row, { ownerId });
      const was = row.ownerId;
      await this.states.record(manager, { action: 'connection.hand-over', by, arguments: { id, was, ownerId } });
      return connectionViewOf(next);
    });
  }

  /** Publishes every state again. */
  async republish(): Promise<void> {
    let after = '';
    for (let isMore = true; isMore;) {
      const last = await this.states.source.transaction(async (manager) => {
        const rows = await manager
          .createQueryBuilder(Connection, 'connection')
          .where('connection.id > :after', { after })
          .orderBy('connection.id')
          .limit(PAGE_ROWS)
          .setLock('pessimistic_write')
          .getMany();
        if (rows.length > 0) await this.states.publishAll(manager, rows);
        return rows.length < PAGE_ROWS ? undefined : rows.at(-1)?.id;
      });
      isMore = last !== undefined;
      after = last ?? after;
    }
  }

  private async end(
    manager: EntityManager,
    row: Connection,
    status: 'disconnected' | 'revoked',
    by: AdminActor,
    reason: string | null = null,
  ): Promise<Connection> {
    await this.states.endTokens(manager, row, reason ?? status);
    const next = await this.states.save(manager, row, { ...FORGOTTEN, status, reason });
    const action = status === 'revoked' ? 'connection.revoke' : 'connection.disconnect';
    await this.states.record(manager, { action, by, arguments: { ...recordedOf(next), reason } });
    return next;
  }

  private dueAt(kind: ConnectionKind, tokens: GrantedTokens, nowMs: number): string | null {
    // Nothing newer can be had for what is kept; when it ends somebody has to be asked for another.
    if (isKept(kind)) return tokens.expiresAtMs === undefined ? null : String(tokens.expiresAtMs);
    if (tokens.refreshToken === undefined && kind !== 'client_credentials') return null;
    const at = refreshAtMs(tokens.expiresAtMs ?? null, nowMs, this.random());
    return at === null ? null : String(at);
  }
}

/** While the tokens were had the provider may have been moved: they are of the place before. */
async function ensureInPlace(manager: EntityManager, { provider: id, place }: Established): Promise<void> {
  const provider = await manager.findOne(Provider, { where: { id }, lock: { mode: 'pessimistic_read' } });
  if (provider?.status === 'active' && placeOf(provider) === place) return;
  throw new AdminError(400, 'WDR_CONNECT_REFUSED', 'An administrator changed this meanwhile. Begin again.');
}

function ownerOf(row: Connection): string | null {
  return row.principalId ?? row.ownerId;
}

function unknown(): AdminError {
  return new AdminError(404, 'WDR_CONNECTION_UNKNOWN', 'there is no such connection');
}

export function connectionViewOf(row: Connection): ConnectionView {
  const { id, version, status, reason, kind, provider, principalId, ownerId, accountId, accountName } = row;
  return {
    id,
    version,
    status,
    reason,
    kind,
    provider,
    principalId,
    ownerId,
    accountId,
    accountName,
    generation: row.generation,
    scopes: row.scopes,
    isResting: row.isResting,
    expiresAtMs: row.expiresAtMs === null ? null : Number(row.expiresAtMs),
    connectedAtMs: Number(row.connectedAtMs),
  };
}
