import { createHash, randomUUID } from 'node:crypto';
import { isKept } from '@warder/contracts';
import type { GrantedTokens } from '@warder/provider-catalog';
import type { EntityManager } from 'typeorm';
import { Connection, type RefreshIntent } from './connection.entity.js';
import { FORGOTTEN, ITSELF, recordedOf } from './connection-row.js';
import type { ConnectionStates } from './connection-states.store.js';
import { Provider } from './provider.entity.js';
import { placeOf } from './provider-place.js';
import { refreshAtMs } from './refresh-schedule.js';
import type { SealedTokens } from './sealed-tokens.js';

/** A refresh that may be sent: its intent is committed. */
export interface Begun {
  readonly connection: Connection;
  readonly provider: Provider;
  readonly intent: RefreshIntent;
  /** Null for a connection of our client's own, and for one whose tokens are exchanged: they need none. */
  readonly refreshToken: string | null;
}

/** Why a refresh was not begun. `settled`: there is nothing to do any more. */
export type NotBegun = 'settled' | 'busy' | 'paused' | 'ended';

/** How a refresh was asked for: by its schedule, or by whom a token of that generation was refused. */
export type Asked = 'schedule' | { readonly generation: number };

/** What waits for a refresh, over all processes. */
export interface RefreshBacklog {
  /** Connections whose time has come. */
  readonly due: number;
  /** Milliseconds for which the one that waits longest is due; 0 where none is. */
  readonly latestMs: number;
  /** Providers that are left alone for now, and those with an alarm. */
  readonly paused: number;
  readonly alarmed: number;
  /** Client certificates in use that end within a week, and within 30 days. */
  readonly endingInWeek: number;
  readonly endingInMonth: number;
}

/** How often one refresh token is sent without an answer, where each use of it may be the last. */
const BLIND_TRIES_MAX = 2;
const WEEK_MS = 7 * 86_400_000;
const MONTH_MS = 30 * 86_400_000;

export interface RefreshTerms {
  /** Names this process in intents. */
  readonly node: string;
  /** Milliseconds after which an intent's sender is taken for dead: longer than any request may take. */
  readonly staleMs: number;
  readonly random: () => number;
  /** Whether the provider uses refresh tokens up: one that does not may be asked as often as one likes. */
  readonly rotates: (provider: Provider) => boolean;
}

/**
 * The steps of a refresh as they are committed. An intent is written before the request leaves and names the generation:
 * whoever comes to the row later knows what may have happened to the token, and only an answer to the current generation
 * is taken.
 */
export class RefreshStore {
  constructor(
    private readonly states: ConnectionStates,
    private readonly tokens: SealedTokens,
    private readonly terms: RefreshTerms,
  ) {}

  /** Connections whose time has come, the most pressing first. Of a provider that fails only one is tried. */
  async due(limit: number): Promise<readonly string[]> {
    const nowMs = this.states.wallMs();
    const rows: { id: string }[] = await this.states.source.query(
      `SELECT id FROM (
         SELECT connection.id, refresh_at_ms, provider.failures,
           row_number() OVER (PARTITION BY provider ORDER BY refresh_at_ms) AS place
         FROM connection JOIN provider ON provider.id = connection.provider
         WHERE connection.status = 'active' AND NOT is_resting AND refresh_at_ms <= $1 AND provider.status = 'active'
           AND paused_until_ms <= $1
           AND (intent IS NULL OR coalesce((intent->>'isGivenUp')::boolean, false)
             OR (intent->>'startedAtMs')::bigint <= $2)
         ORDER BY refresh_at_ms LIMIT $3
       ) AS ready WHERE failures = 0 OR place = 1 ORDER BY refresh_at_ms`,
      [nowMs, nowMs - this.terms.staleMs, limit],
    );
    return rows.map(({ id }) => id);
  }

  async backlog(): Promise<RefreshBacklog> {
    const nowMs = this.states.wallMs();
    const [found] = (await this.states.source.query(
      `SELECT count(*)::int AS due, coalesce($1 - min(refresh_at_ms), 0)::float8 AS "latestMs",
         (SELECT count(*)::int FROM provider WHERE status = 'active' AND paused_until_ms > $1) AS paused,
         (SELECT count(*)::int FROM provider WHERE status = 'active' AND alarm IS NOT NULL) AS alarmed,
         (SELECT count(*)::int FROM connection
          WHERE status = 'active' AND kind IN ('mtls_user', 'mtls_shared') AND expires_at_ms <= $1 + $2) AS "endingInWeek",
         (SELECT count(*)::int FROM connection
          WHERE status = 'active' AND kind IN ('mtls_user', 'mtls_shared') AND expires_at_ms <= $1 + $3) AS "endingInMonth"
       FROM connection WHERE status = 'active' AND NOT is_resting AND refresh_at_ms <= $1`,
      [nowMs, WEEK_MS, MONTH_MS],
    )) as [RefreshBacklog];
    return found;
  }

  /**
   * Commits that a refresh begins. A row that another process has locked is left to it.
   * @throws SecretError where the token cannot be opened; then nothing was changed
   */
  async begin(id: string, asked: Asked): Promise<Begun | NotBegun> {
    const seen = await this.states.source.manager.findOneBy(Connection, { id });
    if (seen === null || seen.status !== 'active') return 'ended';
    if (!isWanted(seen, asked, this.states.wallMs())) return 'settled';
    // Before the row is locked: whoever waits for a slow store holds up nobody, and a token is bound to its generation.
    const refreshToken = await this.opened(seen);
    return this.states.source.transaction(async (manager) => {
      const connection = await manager.findOne(Connection, {
        where: { id },
        lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
      });
      if (connection === null) return 'busy';
      if (connection.isResting && asked === 'schedule') return 'settled';
      const provider = await manager.findOneBy(Provider, { id: connection.provider });
      if (provider === null || provider.status !== 'active' || connection.status !== 'active') return 'ended';
      const nowMs = this.states.wallMs();
      if (Number(provider.pausedUntilMs) > nowMs) return 'paused';
      if (!isWanted(connection, asked, nowMs)) return 'settled';
      // Connected again in between: what was opened is of the time before.
      if (connection.generation !== seen.generation) return 'settled';
      if (isKept(connection.kind)) return this.end(manager, connection, nowMs);
      const left = this.intentLeft(connection, nowMs);
      if (left === 'busy') return 'busy';
      return this.intend(manager, { connection, provider, refreshToken }, left);
    });
  }

  /** Writes the new tokens, whoever took the row over meanwhile, as long as nobody has newer ones. */
  async succeed(
    { connection, provider, intent, refreshToken: sent }: Begun,
    granted: GrantedTokens,
  ): Promise<'written' | 'superseded'> {
    const { id } = connection;
    const generation = intent.generation + 1;
    // Sealed before the row is locked: the store may be slow, and what it gives is bound to the generation anyway. Where
    // the provider gave no new refresh token the one that was sent stays.
    const accessToken = await this.tokens.seal(id, 'access_token', generation, granted.accessToken);
    // What is exchanged is had for the person's token again; a second way to it would outlive that token.
    const isExchanged = connection.kind === 'token_exchange';
    const kept = isExchanged ? null : (granted.refreshToken ?? sent);
    const refreshToken = await this.tokens.seal(id, 'refresh_token', generation, kept);
    const renewed = granted.refreshToken === undefined ? null : refreshToken;
    return this.states.source.transaction(async (manager) => {
      const row = await this.states.lock(manager, id);
      if (row === null) return 'superseded';
      const end = async (why: string): Promise<void> => {
        const now = await manager.findOneBy(Provider, { id: provider.id });
        // They are of the place before: where the provider is now they are told to nobody.
        if (now !== null && placeOf(now) === placeOf(provider)) await this.states.endTokens(manager, late, why);
      };
      const late = { id, provider: row.provider, generation, accessToken, refreshToken: renewed };
      if (row.generation !== intent.generation) {
        // Of the same account they are left, as when it is connected again.
        if (row.accountId !== connection.accountId) await end('ended_meanwhile');
        return 'superseded';
      }
      if (row.status === 'disconnected' || row.status === 'revoked') {
        await end('ended_meanwhile');
        return 'superseded';
      }
      const nowMs = this.states.wallMs();
      const dueAt = refreshAtMs(granted.expiresAtMs ?? null, nowMs, this.terms.random());
      const canRefresh = refreshToken !== null || row.kind === 'client_credentials';
      const next = await this.states.save(manager, row, {
        ...FORGOTTEN,
        status: 'active',
        reason: null,
        generation,
        accessToken,
        refreshToken,
        scopes: granted.scopes ?? row.scopes,
        expiresAtMs: granted.expiresAtMs === undefined ? null : String(granted.expiresAtMs),
        refreshAtMs: dueAt === null || !canRefresh ? null : String(dueAt),
      });
      await this.states.record(manager, { action: 'connection.refresh', by: ITSELF, arguments: recordedOf(next) });
      await manager.query(
        `UPDATE provider SET failures = 0, alarm = NULL WHERE id = $1 AND (failures > 0 OR alarm IS NOT NULL)`,
        [row.provider],
      );
      return 'written';
    });
  }

  /** The provider takes the token no more: only its owner can help. */
  async giveUp({ connection, intent }: Begun, reason: string): Promise<void> {
    await this.states.source.transaction(async (manager) => {
      const row = await this.states.lock(manager, connection.id);
      if (row?.intent?.id !== intent.id || row.generation !== intent.generation || row.status !== 'active') return;
      await this.requireReconnect(manager, row, reason);
    });
  }

  /**
   * Nothing came of it, and it is tried again.
   * @param isUnknown - whether the provider may have used the token up
   */
  async postpone({ connection, intent }: Begun, delayMs: number, isUnknown: boolean): Promise<void> {
    await this.states.source.transaction(async (manager) => {
      const row = await this.states.lock(manager, connection.id);
      if (row?.intent?.id !== intent.id) return;
      // Tokens are exchanged when a call needs one.
      row.refreshAtMs = row.kind === 'token_exchange' ? null : String(this.states.wallMs() + delayMs);
      row.intent = isUnknown ? { ...intent, isGivenUp: true } : null;
      await manager.upsert(Connection, row as never, ['id']);
    });
  }

  /**
   * Leaves a provider alone for a time, which grows with each failure in a row.
   * @param untilMs - 0 where it goes on, for what failed is one connection's: that is no failure of the provider
   * @param alarm - what an operator has to see to
   */
  async pause(providerId: string, untilMs: number, alarm: string | null): Promise<void> {
    await this.states.source.transaction(async (manager) => {
      const before = await manager.findOne(Provider, {
        where: { id: providerId },
        lock: { mode: 'pessimistic_write' },
      });
      if (before === null) return;
      await manager.query(
        `UPDATE provider SET paused_until_ms = greatest(paused_until_ms, $2),
           failures = failures + CASE WHEN $2 > 0 THEN 1 ELSE 0 END, alarm = coalesce($3, alarm) WHERE id = $1`,
        [providerId, Math.round(untilMs), alarm],
      );
      if (alarm === null || alarm === before.alarm) return;
      const told = { provider: providerId, alarm };
      await this.states.record(manager, { action: 'provider.alarm', by: ITSELF, arguments: told });
    });
  }

  /** Of what is kept here nothing newer can be had: it has ended, or there is nothing to do. */
  private async end(manager: EntityManager, connection: Connection, nowMs: number): Promise<NotBegun> {
    const { expiresAtMs } = connection;
    if (expiresAtMs === null || Number(expiresAtMs) > nowMs) return 'settled';
    await this.requireReconnect(manager, connection, 'certificate_expired');
    return 'ended';
  }

  /** What is left of a refresh of this generation: nothing, one that runs elsewhere, or one whose outcome nobody knows. */
  private intentLeft({ intent, generation }: Connection, nowMs: number): RefreshIntent | 'busy' | undefined {
    if (intent === null || intent.generation !== generation) return undefined;
    if (intent.isGivenUp !== true && nowMs - intent.startedAtMs < this.terms.staleMs) return 'busy';
    return intent;
  }

  private async intend(
    manager: EntityManager,
    { connection, provider, refreshToken }: Omit<Begun, 'intent'>,
    left: RefreshIntent | undefined,
  ): Promise<Begun | NotBegun> {
    const { generation } = connection;
    const tries = (left?.tries ?? 0) + 1;
    const isOwn = connection.kind === 'client_credentials' || connection.kind === 'token_exchange';
    if (tries > BLIND_TRIES_MAX && !isOwn && this.terms.rotates(provider)) {
      await this.requireReconnect(manager, connection, 'refresh_outcome_unknown');
      return 'ended';
    }
    if (refreshToken === null && !isOwn) return 'ended';
    const intent: RefreshIntent = {
      id: randomUUID(),
      generation,
      tokenHash: createHash('sha256')
        .update(refreshToken ?? '')
        .digest('hex'),
      startedAtMs: this.states.wallMs(),
      node: this.terms.node,
      tries,
    };
    connection.intent = intent;
    await manager.upsert(Connection, connection as never, ['id']);
    return { connection, provider, intent, refreshToken };
  }

  private async opened({ id, generation, refreshToken }: Connection): Promise<string | null> {
    return refreshToken === null ? null : this.tokens.open(id, 'refresh_token', generation, refreshToken);
  }

  private async requireReconnect(manager: EntityManager, row: Connection, reason: string): Promise<void> {
    const next = await this.states.save(manager, row, { ...FORGOTTEN, status: 'reconnect_required', reason });
    const told = { ...recordedOf(next), reason };
    await this.states.record(manager, { action: 'connection.reconnect-required', by: ITSELF, arguments: told });
  }
}

function isWanted({ refreshAtMs: dueAt, generation }: Connection, asked: Asked, nowMs: number): boolean {
  if (asked === 'schedule') return dueAt !== null && Number(dueAt) <= nowMs;
  return asked.generation === generation;
}
