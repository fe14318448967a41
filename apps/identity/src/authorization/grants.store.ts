import { ADMIN_PATH, type GrantState, grantStateTopic } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { EntityManager } from 'typeorm';
import { endSessions } from '../account/sessions.store.js';
import type { EndsAccess } from '../ends-access.store.js';
import type { IdentityStore } from '../identity.store.js';

/** A grant is told of once, at its end: then its version is this one. */
const ENDED_VERSION = 2;
const REPUBLISH_ROWS = 1_000;

/** A client that a person let act for them. */
export interface GrantView {
  readonly id: string;
  readonly clientId: string;
  /** As the client registered it, or publishes it; null for one that is known in advance. */
  readonly clientName: string | null;
  /** Names of the virtual servers that it may use. */
  readonly virtualServers: readonly string[];
  /** Whether the person may administer Warder through it. */
  readonly admin: boolean;
  readonly principalId: string;
  readonly grantedAtMs: number;
  readonly expiresAtMs: number;
  /** When it last came for a token; null where it has none to refresh. */
  readonly lastTokenAtMs: number | null;
}

/** A grant of the library's that is kept nowhere yet, by what its `save` does. */
export interface NewGrant {
  jti: string;
  generateTokenId(): string;
  getValueAndPayload(): Promise<{ readonly payload: { readonly accountId: string; readonly exp: number } }>;
}

/** What people allowed OAuth clients, and its end. */
export class GrantsStore implements EndsAccess {
  readonly what = 'clients';

  /** @param accessMs - milliseconds that an access token lives at most */
  constructor(
    private readonly store: IdentityStore,
    private readonly outbox: Outbox,
    private readonly accessMs: number,
  ) {
    store.alsoRepublish((manager) => this.republish(manager));
  }

  /** Keeps a new grant within a change that is under way. @returns its id */
  async keep(manager: EntityManager, grant: NewGrant): Promise<string> {
    const id = grant.generateTokenId();
    grant.jti = id;
    const { payload } = await grant.getValueAndPayload();
    const { accountId, exp } = payload;
    await manager.query(
      `INSERT INTO oauth_item (model, id, payload, account_id, expires_at) VALUES ('Grant', $1, $2, $3, to_timestamp($4))`,
      [id, JSON.stringify(payload), accountId, exp],
    );
    return id;
  }

  /** Ends a grant with all that was issued under it, everywhere; again it changes nothing. */
  async endOne(grantId: string): Promise<void> {
    await this.store.change((manager) => this.endWithin(manager, [grantId]));
  }

  /** Ends all that a principal's clients and browsers have. @returns the ended grants */
  async end(manager: EntityManager, principalId: string): Promise<readonly string[]> {
    const ids = await this.endClients(manager, principalId);
    await endSessions(manager, principalId, this.store.wallMs());
    await manager.query('DELETE FROM oauth_item WHERE account_id = $1', [principalId]);
    return ids;
  }

  /** Ends all that a principal allowed clients; its browsers go on. @returns the ended grants */
  async endClients(manager: EntityManager, principalId: string): Promise<readonly string[]> {
    const rows: { id: string }[] = await manager.query(
      `SELECT id FROM oauth_item WHERE model = 'Grant' AND account_id = $1`,
      [principalId],
    );
    const ids = rows.map(({ id }) => id);
    await this.endWithin(manager, ids);
    return ids;
  }

  /** Ends what was issued under ids that the authorization server keeps no grant of, such as those of agents' credentials. */
  async endNamed(manager: EntityManager, principalId: string, ids: readonly string[]): Promise<void> {
    const expiresAtMs = this.store.wallMs() + this.accessMs;
    for (const id of ids) await this.tellEnd(manager, id, principalId, expiresAtMs);
  }

  /** Whether one of these has ended, of grants and of what is ended by name. */
  async hasEnded(ids: readonly string[], manager: EntityManager = this.store.source.manager): Promise<boolean> {
    const found: unknown[] = await manager.query('SELECT 1 FROM ended_grant WHERE id = ANY($1) LIMIT 1', [[...ids]]);
    return found.length > 0;
  }

  /**
   * Ends one grant of the principal.
   * @throws AdminError 404 WDR_CLIENT_UNKNOWN
   */
  async endOf(principalId: string, grantId: string, by: AdminActor): Promise<GrantView> {
    const found = (await this.list(principalId)).find(({ id }) => id === grantId);
    if (found === undefined)
      throw new AdminError(404, 'WDR_CLIENT_UNKNOWN', 'the principal allowed no client under this id');
    const { clientId } = found;
    await this.store.change(async (manager) => {
      await this.endWithin(manager, [grantId]);
      await this.store.record(manager, 'client.end', by, { principalId, clientId, grantId });
    });
    return found;
  }

  /** Ends all that a principal allowed clients, on record. */
  async endAllWithin(manager: EntityManager, principalId: string, by: AdminActor): Promise<void> {
    const grants = await this.endClients(manager, principalId);
    if (grants.length > 0) await this.store.record(manager, 'client.end', by, { principalId, grants });
  }

  /** A principal's grants that stand, newest first. */
  async list(principalId: string): Promise<GrantView[]> {
    return this.store.source.query(
      `SELECT item.id, item.payload->>'clientId' AS "clientId", item.account_id AS "principalId",
         (SELECT left(told.payload->>'client_name', 100) FROM oauth_item AS told
           WHERE told.model IN ('Client', 'ClientDocument') AND told.id = item.payload->>'clientId' LIMIT 1) AS "clientName",
         ARRAY(SELECT substring(key FROM '/mcp/(.*)$') FROM jsonb_object_keys(item.payload->'resources') AS key
           WHERE key LIKE '%/mcp/%' ORDER BY 1) AS "virtualServers",
         coalesce((SELECT bool_or(key LIKE '%${ADMIN_PATH}' AND key NOT LIKE '%/mcp/%') FROM jsonb_object_keys(item.payload->'resources') AS key),
           false) AS admin,
         (item.payload->>'iat')::float8 * 1000 AS "grantedAtMs",
         extract(epoch FROM item.expires_at)::float8 * 1000 AS "expiresAtMs",
         (SELECT max((held.payload->>'iat')::float8) * 1000 FROM oauth_item AS held
           WHERE held.grant_id = item.id AND held.model = 'RefreshToken') AS "lastTokenAtMs"
       FROM oauth_item AS item WHERE item.model = 'Grant' AND item.account_id = $1
         AND (item.expires_at IS NULL OR item.expires_at > to_timestamp($2::numeric / 1000))
       ORDER BY item.expires_at DESC, item.id`,
      [principalId, this.store.wallMs()],
    );
  }

  /** Publishes every end again, and forgets those whose last token has expired. */
  private async republish(manager: EntityManager): Promise<void> {
    await manager.query('DELETE FROM ended_grant WHERE expires_at_ms < $1', [this.store.wallMs()]);
    for (let after = ''; ;) {
      const rows: { id: string; principal_id: string; expires_at_ms: string }[] = await manager.query(
        'SELECT id, principal_id, expires_at_ms FROM ended_grant WHERE id > $1 ORDER BY id LIMIT $2',
        [after, REPUBLISH_ROWS],
      );
      const entries = rows.map((row) => ({
        key: row.id,
        message: stateOf(row.id, row.principal_id, Number(row.expires_at_ms)),
      }));
      if (entries.length > 0) await this.outbox.enqueueAll(manager, grantStateTopic, entries);
      if (rows.length < REPUBLISH_ROWS) return;
      after = rows.at(-1)!.id;
    }
  }

  private async endWithin(manager: EntityManager, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const gone: { id: string; account_id: string | null }[] = await manager.query(
      `SELECT id, account_id FROM oauth_item WHERE model = 'Grant' AND id = ANY($1)`,
      [ids],
    );
    await manager.query(`DELETE FROM oauth_item WHERE grant_id = ANY($1) OR (model = 'Grant' AND id = ANY($1))`, [ids]);
    const expiresAtMs = this.store.wallMs() + this.accessMs;
    for (const { id, account_id: principalId } of gone) await this.tellEnd(manager, id, principalId ?? '', expiresAtMs);
  }

  private async tellEnd(manager: EntityManager, id: string, principalId: string, expiresAtMs: number): Promise<void> {
    await manager.query(
      'INSERT INTO ended_grant (id, principal_id, expires_at_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [id, principalId, expiresAtMs],
    );
    await this.outbox.enqueue(manager, grantStateTopic, id, stateOf(id, principalId, expiresAtMs));
  }
}

function stateOf(id: string, principalId: string, expiresAtMs: number): GrantState {
  return { version: ENDED_VERSION, status: 'revoked', id, principalId, expiresAtMs };
}
