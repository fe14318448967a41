import { type AccountConnectionState, connectionStateTopic } from '@warder/contracts';
import type { AdminAction, Outbox } from '@warder/postgres';
import type { DataSource, EntityManager } from 'typeorm';
import { Connection } from './connection.entity.js';
import { followSubject } from './exchanged.store.js';

/** The tokens of a row, sealed for their generation. */
export type HeldTokens = Pick<Connection, 'id' | 'provider' | 'generation' | 'accessToken' | 'refreshToken'>;

/** Writing connections: the row and its message in one transaction. */
export class ConnectionStates {
  constructor(
    readonly source: DataSource,
    private readonly outbox: Outbox,
    readonly wallMs: () => number,
  ) {}

  /** The row, locked until the change ends. */
  lock(manager: EntityManager, id: string): Promise<Connection | null> {
    return manager.findOne(Connection, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /** Writes the next version of a row and tells the nodes; what is had for a person's token stands and falls with it. */
  async save(manager: EntityManager, row: Connection, change: Partial<Connection>): Promise<Connection> {
    const changedAtMs = String(this.wallMs());
    const next: Connection = Object.assign({}, row, change, { version: row.version + 1, changedAtMs });
    await manager.upsert(Connection, next as never, ['id']);
    await this.publish(manager, next);
    await followSubject(this, manager, row, next);
    return next;
  }

  publish(manager: EntityManager, row: Connection): Promise<void> {
    return this.outbox.enqueue(manager, connectionStateTopic, row.id, stateOf(row));
  }

  publishAll(manager: EntityManager, rows: readonly Connection[]): Promise<void> {
    const entries = rows.map((row) => ({ key: row.id, message: stateOf(row) }));
    return this.outbox.enqueueAll(manager, connectionStateTopic, entries);
  }

  record(manager: EntityManager, action: AdminAction): Promise<void> {
    return this.outbox.recordAdminAction(manager, action);
  }

  /**
   * Has the tokens that a row holds ended at their provider, by whoever works on that; to be called before the row
   * forgets them. Nothing is kept where the row holds none.
   */
  async endTokens(manager: EntityManager, row: HeldTokens, reason: string): Promise<void> {
    if (row.accessToken === null && row.refreshToken === null) return;
    await manager.query(
      `INSERT INTO token_ending (connection_id, provider, generation, access_token, refresh_token, reason, due_at_ms)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [row.id, row.provider, row.generation, row.accessToken, row.refreshToken, reason, this.wallMs()],
    );
  }
}

function stateOf(row: Connection): AccountConnectionState {
  const { version, status, id, kind, provider, principalId, accountId, generation, expiresAtMs, scopes } = row;
  return {
    version,
    status,
    id,
    kind,
    provider,
    principalId,
    accountId,
    generation,
    expiresAtMs: expiresAtMs === null ? null : Number(expiresAtMs),
    scopes: [...scopes],
  };
}
