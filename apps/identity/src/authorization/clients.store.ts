import type { IdentityStore } from '../identity.store.js';

/** Clients that registered themselves at most. */
const CLIENTS_MAX = 20_000;

/** Clients that registered themselves, and whatever else of the authorization server has an end. */
export class ClientsStore {
  constructor(
    private readonly store: IdentityStore,
    private readonly unusedDays: number,
  ) {}

  /** Whether one more may register. */
  async hasRoom(): Promise<boolean> {
    const [{ held }] = (await this.store.source.query(
      `SELECT count(*)::int AS held FROM oauth_item WHERE model = 'Client'`,
    )) as [{ held: number }];
    return held < CLIENTS_MAX;
  }

  /** Removes what has expired, and clients that nobody allowed anything for too long. */
  async sweep(): Promise<void> {
    const nowMs = this.store.wallMs();
    const { source } = this.store;
    await source.query('DELETE FROM oauth_item WHERE expires_at < to_timestamp($1::numeric / 1000)', [nowMs]);
    await source.query(
      `DELETE FROM oauth_item client WHERE model = 'Client' AND (payload->>'client_id_issued_at')::numeric < $1
         AND NOT EXISTS (SELECT 1 FROM oauth_item held WHERE held.model = 'Grant' AND held.payload->>'clientId' = client.id)`,
      [nowMs / 1_000 - this.unusedDays * 86_400],
    );
  }
}
