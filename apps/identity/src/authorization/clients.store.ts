import type { IdentityStore } from '../identity.store.js';

/** Clients that registered themselves at most. */
const CLIENTS_MAX = 20_000;
/** Seconds for which a client that nobody allowed anything keeps its place: whoever registers goes on to sign in. */
const KEPT_S = 3_600;
/** How many make room at once. */
const MADE_ROOM = 200;
/** Nobody allowed the client anything. */
const IS_UNUSED = `NOT EXISTS (
  SELECT 1 FROM oauth_item AS held WHERE held.model = 'Grant' AND held.payload->>'clientId' = client.id)`;

/** Clients that registered themselves, and whatever else of the authorization server has an end. */
export class ClientsStore {
  constructor(
    private readonly store: Pick<IdentityStore, 'source' | 'wallMs'>,
    private readonly unusedDays: number,
  ) {}

  /** Whether one more may register: where there are too many, those make room that were not used for the longest time. */
  async hasRoom(): Promise<boolean> {
    const [{ held }] = (await this.store.source.query(
      `SELECT count(*)::int AS held FROM oauth_item WHERE model = 'Client'`,
    )) as [{ held: number }];
    if (held < CLIENTS_MAX) return true;
    const [, gone]: [unknown, number] = await this.store.source.query(
      `DELETE FROM oauth_item WHERE model = 'Client' AND id IN (
         SELECT id FROM oauth_item AS client
         WHERE model = 'Client' AND (payload->>'client_id_issued_at')::numeric < $1 AND ${IS_UNUSED}
         ORDER BY (payload->>'client_id_issued_at')::numeric LIMIT $2)`,
      [this.store.wallMs() / 1_000 - KEPT_S, MADE_ROOM],
    );
    return gone > 0;
  }

  /** Removes what has expired, and clients that nobody allowed anything for too long. */
  async sweep(): Promise<void> {
    const nowMs = this.store.wallMs();
    const { source } = this.store;
    await source.query('DELETE FROM oauth_item WHERE expires_at < to_timestamp($1::numeric / 1000)', [nowMs]);
    await source.query(
      `DELETE FROM agent_grant WHERE NOT EXISTS
         (SELECT 1 FROM oauth_item WHERE model = 'Grant' AND id = agent_grant.grant_id)`,
    );
    await source.query(
      `DELETE FROM oauth_item AS client WHERE model = 'Client'
         AND (payload->>'client_id_issued_at')::numeric < $1 AND ${IS_UNUSED}`,
      [nowMs / 1_000 - this.unusedDays * 86_400],
    );
  }
}
