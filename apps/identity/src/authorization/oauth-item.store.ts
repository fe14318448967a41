import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { IdentityStore } from '../identity.store.js';
import type { GrantsStore } from './grants.store.js';
import { bearerKey } from './interactions.store.js';
import type { Sealing } from './sealing.js';
import { toldToClient } from './told-to-client.js';

/** Whoever has the id of one of these is let in by it: it stands in the database as its hash only. */
const BEARERS = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'Session',
  'Interaction',
  'RegistrationAccessToken',
  'InitialAccessToken',
  'ClientCredentials',
]);

interface Row {
  readonly payload: AdapterPayload;
  readonly consumed_at_s: number | null;
}

interface Consumed {
  readonly grant_id: string | null;
  readonly is_first: boolean;
  /** As it was before this use. */
  readonly consumed_at_s: number | null;
}

export interface OauthItemParts {
  readonly store: IdentityStore;
  readonly grants: GrantsStore;
  readonly sealing: Sealing;
  /** Milliseconds in which a refresh token that was used already is taken again: windows of one client race. */
  readonly reuseMs: number;
  /** The row of the interaction by which somebody signs in in the request that is under way; undefined where nobody does. */
  proof(): string | undefined;
}

const ROW = '$1::text, $2::text, $3::jsonb, $4::text, $5::text, $6::text, to_timestamp($7::numeric / 1000)';

/** Where the authorization server keeps one kind of thing. */
export class OauthItems implements Adapter {
  constructor(
    private readonly model: string,
    private readonly parts: OauthItemParts,
  ) {}

  /**
   * @throws InvalidClientAuth for an assertion that somebody came with already: of several at once one is the first
   * @throws SessionNotFound where the interaction that it came of has ended meanwhile
   */
  async upsert(id: string, payload: AdapterPayload, expiresInS: number): Promise<void> {
    const { grantId = null, uid = null } = payload;
    const kept = JSON.stringify(this.sealed(id, payload));
    const nowMs = this.parts.store.wallMs();
    const expiresAtMs = expiresInS ? nowMs + expiresInS * 1_000 : null;
    const isOnce = this.model === 'ReplayDetection';
    const [from, ...more] = this.neededFor(id, payload);
    const rows = await this.query<unknown[]>(
      `INSERT INTO oauth_item AS known (model, id, payload, grant_id, account_id, uid, expires_at) SELECT ${ROW} ${from}
       ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
         account_id = excluded.account_id, uid = excluded.uid, expires_at = excluded.expires_at
         WHERE NOT $8 OR known.expires_at <= to_timestamp($9::numeric / 1000)
       RETURNING id`,
      [this.model, this.keyOf(id), kept, grantId, ownerOf(payload), uid, expiresAtMs, isOnce, nowMs, ...more],
    );
    if (rows.length > 0) return;
    throw isOnce ? new errors.InvalidClientAuth('client assertion tokens must only be used once') : over();
  }

  /**
   * What has to be there when it is written. A session that comes of a sign-in needs the proof: an end takes that away
   * before it looks for sessions, and waits for one that is being written. What comes of an interaction needs that, and
   * does not bring it back.
   */
  private neededFor(id: string, { result }: AdapterPayload): readonly string[] {
    const proof = this.model === 'Session' ? this.parts.proof() : undefined;
    const proved = `FROM oauth_item AS proof WHERE proof.model = 'Interaction' AND proof.id = $10`;
    if (proof !== undefined) return [`${proved} AND proof.account_id = $5 FOR KEY SHARE`, proof];
    const isAnswered = this.model === 'Interaction' && result !== undefined;
    return isAnswered ? [`${proved} AND proof.consumed_at IS NULL FOR KEY SHARE`, this.keyOf(id)] : [''];
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.one(id, 'id = $2', this.keyOf(id));
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.one(undefined, 'uid = $2', uid);
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  /** @throws InvalidGrant for what somebody else came with meanwhile, here or at another node: what either of them has ends */
  async consume(id: string): Promise<void> {
    const nowMs = this.parts.store.wallMs();
    const [used] = await this.query<Consumed[]>(
      `WITH used AS (
         UPDATE oauth_item SET consumed_at = to_timestamp($3::numeric / 1000)
         WHERE model = $1 AND id = $2 AND consumed_at IS NULL RETURNING id
       ) SELECT grant_id, EXISTS (SELECT 1 FROM used) AS is_first,
           extract(epoch FROM consumed_at)::float8 AS consumed_at_s FROM oauth_item WHERE model = $1 AND id = $2`,
      [this.model, this.keyOf(id), nowMs],
    );
    if (used?.is_first === true) return;
    // A refresh token may be used again for a while, from its first use on, which may be of this very moment.
    const usedForMs = Math.max(0, nowMs - (used?.consumed_at_s ?? nowMs / 1_000) * 1_000);
    if (used !== undefined && this.model === 'RefreshToken' && usedForMs < this.parts.reuseMs) return;
    if (used !== undefined && used.grant_id !== null) await this.revokeByGrantId(used.grant_id);
    throw new errors.InvalidGrant('already consumed');
  }

  /** @throws SessionNotFound for a sign-in that is over */
  async destroy(id: string): Promise<void> {
    if (this.model === 'Grant') return this.revokeByGrantId(id);
    if (this.model === 'Interaction') return this.goOn(id);
    await this.query('DELETE FROM oauth_item WHERE model = $1 AND id = $2', [this.model, this.keyOf(id)]);
  }

  /** Takes an interaction for whoever goes on with it, once; its row stays, as what a session came of. */
  private async goOn(id: string): Promise<void> {
    const [rows] = await this.query<[unknown[], number]>(
      `UPDATE oauth_item SET consumed_at = to_timestamp($2::numeric / 1000)
       WHERE model = 'Interaction' AND id = $1 AND consumed_at IS NULL RETURNING id`,
      [this.keyOf(id), this.parts.store.wallMs()],
    );
    if (rows.length === 0) throw over();
  }

  /** Ends the grant itself: a family of which one member was stolen is not to go on with another. */
  revokeByGrantId(grantId: string): Promise<void> {
    return toldToClient(() => this.parts.grants.endOne(grantId));
  }

  private async one(id: string | undefined, where: string, value: string): Promise<AdapterPayload | undefined> {
    const nowMs = this.parts.store.wallMs();
    // A request that was under way when its browser was signed out may have written the session back.
    const isEnded =
      this.model === 'Session'
        ? 'EXISTS (SELECT 1 FROM browser_session WHERE browser_session.id = oauth_item.uid AND ended_at_ms IS NOT NULL)'
        : 'false';
    const rows = await this.query<Row[]>(
      `SELECT payload, extract(epoch FROM consumed_at)::float8 AS consumed_at_s FROM oauth_item
       WHERE model = $1 AND ${where} AND (expires_at IS NULL OR expires_at > to_timestamp($3::numeric / 1000))
         AND NOT ${isEnded}`,
      [this.model, value, nowMs],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const payload = this.opened(id, row.payload);
    const consumedAtS = row.consumed_at_s;
    if (consumedAtS === null) return payload;
    if (this.model === 'Interaction') return undefined;
    const isRace = this.model === 'RefreshToken' && nowMs - consumedAtS * 1_000 < this.parts.reuseMs;
    return isRace ? payload : { ...payload, consumed: Math.floor(consumedAtS) };
  }

  private keyOf(id: string): string {
    return BEARERS.has(this.model) ? bearerKey(id) : id;
  }

  private sealed(id: string, payload: AdapterPayload): AdapterPayload {
    const { jti: _, client_secret: secret, ...rest } = payload;
    const kept = BEARERS.has(this.model) ? rest : payload;
    return secret === undefined ? kept : { ...rest, client_secret: this.parts.sealing.seal(secret, placeOf(id)) };
  }

  private opened(id: string | undefined, payload: AdapterPayload): AdapterPayload {
    const { client_secret: sealed } = payload;
    if (sealed !== undefined && id !== undefined) {
      return { ...payload, client_secret: this.parts.sealing.open(sealed, placeOf(id)) };
    }
    return BEARERS.has(this.model) && id !== undefined ? { ...payload, jti: id } : payload;
  }

  private query<T>(sql: string, values: readonly unknown[]): Promise<T> {
    return toldToClient(() => this.parts.store.source.query(sql, [...values]), this.model === 'Client');
  }
}

/** Whose it is; an interaction is of whoever signed in in it, or before it. */
function ownerOf({ accountId, result, session }: AdapterPayload): string | null {
  const { login } = (result ?? {}) as { login?: { accountId?: string } };
  return accountId ?? login?.accountId ?? session?.accountId ?? null;
}

function over(): errors.SessionNotFound {
  return new errors.SessionNotFound('this sign-in is over');
}

function placeOf(clientId: string): string {
  return `oauth_item.client_secret/${clientId}`;
}
