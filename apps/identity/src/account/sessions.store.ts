import { withStore } from '@warder/postgres';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { EntityManager } from 'typeorm';
import { endInteractions } from '../authorization/interactions.store.js';
import type { IdentityStore } from '../identity.store.js';

/** How often it is written down that a browser was here. */
const SEEN_EVERY_MS = 60_000;
/** Characters kept of what a browser calls itself. */
const AGENT_CHARS_MAX = 200;
/** Longer than any request that could still write an ended session back. */
const ENDED_KEPT_MS = 86_400_000;

/** A browser that is signed in. */
export interface SessionView {
  /** Names it, and lets nobody in. */
  readonly id: string;
  readonly principalId: string;
  /** To the second only where it was not told. */
  readonly signedInAtMs: number;
  /** Id of the provider that vouched for the person, or `local`; null where it was not told. */
  readonly provider: string | null;
  readonly signedInFrom: string | null;
  /** What the browser calls itself. */
  readonly agent: string | null;
  /** To the minute. */
  readonly seenAtMs: number | null;
  readonly seenFrom: string | null;
  readonly expiresAtMs: number;
}

/** A browser that comes with its session. */
export interface SeenBrowser {
  readonly sessionId: string;
  readonly principalId: string;
  readonly address: string;
  readonly agent: string | undefined;
}

/** Browsers that are signed in: what is told of them beside what the authorization server keeps, and their end. */
export class SessionsStore {
  constructor(private readonly store: IdentityStore) {}

  /** Notes a sign-in, the first of this browser or another one. @param provider - that vouched, or `local` */
  async signedIn(browser: SeenBrowser, provider: string | null): Promise<void> {
    const { sessionId, principalId, address, agent } = browser;
    await this.query(
      `INSERT INTO browser_session (id, principal_id, provider, agent, signed_in_from, seen_from, seen_at_ms, signed_in_at_ms)
       VALUES ($1, $2, $3, $4, $5, $5, $6, $6)
       ON CONFLICT (id) DO UPDATE SET principal_id = excluded.principal_id, provider = excluded.provider,
         agent = excluded.agent, signed_in_from = excluded.signed_in_from, seen_from = excluded.seen_from,
         seen_at_ms = excluded.seen_at_ms, signed_in_at_ms = excluded.signed_in_at_ms`,
      [sessionId, principalId, provider, shown(agent), address, this.store.wallMs()],
    );
  }

  /** Notes that the browser was here, once a minute at most. */
  async seen({ sessionId, address }: SeenBrowser): Promise<void> {
    const nowMs = this.store.wallMs();
    await this.query('UPDATE browser_session SET seen_at_ms = $2, seen_from = $3 WHERE id = $1 AND seen_at_ms <= $4', [
      sessionId,
      nowMs,
      address,
      nowMs - SEEN_EVERY_MS,
    ]);
  }

  /** A principal's browsers, the one that signed in last first, and by id where two did in the same millisecond. */
  list(principalId: string): Promise<SessionView[]> {
    return withStore(() => this.listWithin(this.store.source.manager, principalId));
  }

  /** The same within a change that is under way: one that asked by another connection would wait for those that wait for it. */
  private listWithin(manager: EntityManager, principalId: string): Promise<SessionView[]> {
    return manager.query(
      `SELECT item.uid AS id, item.account_id AS "principalId",
         greatest((item.payload->>'loginTs')::float8 * 1000, told.signed_in_at_ms::float8) AS "signedInAtMs",
         told.provider, told.signed_in_from AS "signedInFrom", told.agent, told.seen_at_ms::float8 AS "seenAtMs",
         told.seen_from AS "seenFrom", extract(epoch FROM item.expires_at)::float8 * 1000 AS "expiresAtMs"
       FROM oauth_item AS item LEFT JOIN browser_session AS told ON told.id = item.uid
       WHERE item.model = 'Session' AND item.account_id = $1 AND told.ended_at_ms IS NULL
         AND item.expires_at > to_timestamp($2::numeric / 1000)
       ORDER BY 3 DESC, 1`,
      [principalId, this.store.wallMs()],
    );
  }

  /**
   * Signs one browser of the principal out.
   * @throws AdminError 404 WDR_SESSION_NOT_FOUND
   */
  async end(principalId: string, sessionId: string, by: AdminActor): Promise<SessionView> {
    const ended = await this.endIfThere(principalId, sessionId, by);
    if (ended !== undefined) return ended;
    throw new AdminError(404, 'WDR_SESSION_NOT_FOUND', 'the principal has no browser signed in under this id');
  }

  /** The same; undefined where there is no such browser. */
  async endIfThere(principalId: string, sessionId: string, by: AdminActor): Promise<SessionView | undefined> {
    return this.store.change(async (manager) => {
      const found = (await this.listWithin(manager, principalId)).find(({ id }) => id === sessionId);
      if (found === undefined) return undefined;
      await endSessions(manager, principalId, this.store.wallMs(), [sessionId]);
      await this.store.record(manager, 'session.end', by, { principalId, sessions: [sessionId] });
      return found;
    });
  }

  /** Signs the principal's browsers out, but the one that is named. @returns ids of those that were ended */
  async endOthers(principalId: string, keptId: string | null, by: AdminActor): Promise<string[]> {
    return this.store.change((manager) => this.endOthersWithin(manager, principalId, keptId, by));
  }

  /** The same within a change that is under way. */
  async endOthersWithin(
    manager: EntityManager,
    principalId: string,
    keptId: string | null,
    by: AdminActor,
  ): Promise<string[]> {
    // First, so that a session which is being written comes before it is looked for.
    await endInteractions(manager, principalId);
    const ids = (await this.listWithin(manager, principalId)).flatMap(({ id }) => (id === keptId ? [] : [id]));
    if (ids.length === 0) return ids;
    await endSessions(manager, principalId, this.store.wallMs(), ids);
    await this.store.record(manager, 'session.end', by, { principalId, sessions: ids });
    return ids;
  }

  /** Forgets browsers whose session is gone, once no request of theirs can be under way. */
  async sweep(): Promise<void> {
    const before = this.store.wallMs() - ENDED_KEPT_MS;
    await this.query(
      `DELETE FROM browser_session AS told WHERE greatest(told.seen_at_ms, told.ended_at_ms) < $1
         AND NOT EXISTS (SELECT 1 FROM oauth_item WHERE model = 'Session' AND uid = told.id)`,
      [before],
    );
  }

  private query<T>(sql: string, values: readonly unknown[]): Promise<T> {
    return withStore(() => this.store.source.query(sql, [...values]));
  }
}

/**
 * Ends browsers of a principal, all unless they are named, in the change that is under way: their sessions go, and stay
 * marked as ended, so that a request which holds one cannot write it back. With all of them goes what was proved and not
 * gone on with.
 */
export async function endSessions(
  manager: EntityManager,
  principalId: string,
  nowMs: number,
  ids: readonly string[] | null = null,
): Promise<void> {
  if (ids === null) await endInteractions(manager, principalId);
  await manager.query(
    `INSERT INTO browser_session (id, principal_id, seen_at_ms, ended_at_ms)
     SELECT uid, account_id, $2, $2 FROM oauth_item
     WHERE model = 'Session' AND account_id = $1 AND ($3::text[] IS NULL OR uid = ANY ($3))
     ON CONFLICT (id) DO UPDATE SET ended_at_ms = excluded.ended_at_ms`,
    [principalId, nowMs, ids],
  );
  await manager.query(
    `DELETE FROM oauth_item WHERE model = 'Session' AND account_id = $1 AND ($2::text[] IS NULL OR uid = ANY ($2))`,
    [principalId, ids],
  );
}

function shown(agent: string | undefined): string | null {
  const text = (agent ?? '').replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '').slice(0, AGENT_CHARS_MAX);
  return text === '' ? null : text;
}
