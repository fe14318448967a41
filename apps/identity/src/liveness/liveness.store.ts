import type { EntityManager } from 'typeorm';
import type { Sealing } from '../authorization/sealing.js';
import type { IdentityStore } from '../identity.store.js';

/** Milliseconds for which a node that asks keeps a person from the others; longer than any question. */
const CLAIMED_MS = 60_000;
const BACK_OFF_FIRST_MS = 30_000;
/** Milliseconds in which somebody whose token was lost by us may sign in again before personal tokens are kept out. */
export const LOST_GRACE_MS = 86_400_000;

/** Somebody of whom a provider is to be asked now. */
export interface Due {
  readonly principalId: string;
  readonly provider: string;
  readonly generation: number;
  /** Undefined once what there was is of no use any more. */
  readonly refreshToken: string | undefined;
  readonly failures: number;
  /** Whether it was asked before, and the answer never arrived. */
  readonly isUnclear: boolean;
}

interface Row {
  readonly principal_id: string;
  readonly provider: string;
  readonly generation: number;
  readonly sealed: string | null;
  readonly failures: number;
  readonly was_asked: boolean;
}

/** The refresh tokens by which providers are asked whether somebody is still there: sealed, and each used by one node. */
export class LivenessStore {
  constructor(
    private readonly store: Pick<IdentityStore, 'source' | 'wallMs'>,
    private readonly sealing: Sealing,
    /** Milliseconds between two questions, by provider; those that are not asked are absent. */
    private readonly everyMs: ReadonlyMap<string, number>,
    /** A number in [0, 1). */
    private readonly random: () => number,
  ) {}

  /** Keeps what the provider gave at a sign-in, in place of what it gave before. */
  async keep(manager: EntityManager, principalId: string, provider: string, token: string | null): Promise<void> {
    if (token === null || !this.everyMs.has(provider)) return;
    const [known]: { generation: number }[] = await manager.query(
      'SELECT generation FROM liveness WHERE principal_id = $1 AND provider = $2 FOR UPDATE',
      [principalId, provider],
    );
    const generation = (known?.generation ?? 0) + 1;
    const nowMs = this.store.wallMs();
    await manager.query(
      `INSERT INTO liveness (principal_id, provider, generation, sealed, next_check_at_ms, checked_at_ms)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (principal_id, provider) DO UPDATE SET generation = excluded.generation, sealed = excluded.sealed,
         next_check_at_ms = excluded.next_check_at_ms, checked_at_ms = excluded.checked_at_ms, failures = 0,
         asked_at_ms = NULL`,
      [
        principalId,
        provider,
        generation,
        this.sealing.seal(token, placeOf(principalId, provider, generation)),
        nowMs + this.pauseMs(provider),
        nowMs,
      ],
    );
  }

  /** Has the providers asked of the principal at the next occasion; not those that do not answer, nor lost ones. */
  async askSoon(manager: EntityManager, principalId: string): Promise<void> {
    await manager.query(
      `UPDATE liveness SET next_check_at_ms = $2
        WHERE principal_id = $1 AND next_check_at_ms > $2 AND sealed IS NOT NULL AND asked_at_ms IS NULL AND failures = 0`,
      [principalId, this.store.wallMs()],
    );
  }

  /**
   * Takes those that are due, and writes down that they are being asked before anything is sent: a node that dies in
   * between leaves behind that the answer is not known. Rows that another node is taking are left to it.
   */
  async claim(max: number): Promise<Due[]> {
    const nowMs = this.store.wallMs();
    const rows: Row[] = await this.store.source.transaction(async (manager) => {
      const taken: Row[] = await manager.query(
        `SELECT l.principal_id, l.provider, l.generation, l.sealed, l.failures, l.asked_at_ms IS NOT NULL AS was_asked
           FROM liveness l JOIN principal p ON p.id = l.principal_id
          WHERE l.next_check_at_ms <= $1 AND p.status = 'active' AND l.provider = ANY ($2)
          ORDER BY l.next_check_at_ms LIMIT $3 FOR UPDATE OF l SKIP LOCKED`,
        [nowMs, [...this.everyMs.keys()], max],
      );
      for (const row of taken) {
        await manager.query(
          `UPDATE liveness SET next_check_at_ms = $3, asked_at_ms = $4 WHERE principal_id = $1 AND provider = $2`,
          [row.principal_id, row.provider, nowMs + CLAIMED_MS, nowMs],
        );
      }
      return taken;
    });
    return rows.map((row) => ({
      principalId: row.principal_id,
      provider: row.provider,
      generation: row.generation,
      refreshToken: this.opened(row),
      failures: row.failures,
      isUnclear: row.was_asked,
    }));
  }

  /** The person is there: keeps the token to ask by the next time, before the old one is forgotten. */
  async there({ principalId, provider, generation }: Due, token: string): Promise<void> {
    const nowMs = this.store.wallMs();
    await this.store.source.query(
      `UPDATE liveness SET generation = $3 + 1, sealed = $4, next_check_at_ms = $5, checked_at_ms = $6, failures = 0,
         asked_at_ms = NULL
        WHERE principal_id = $1 AND provider = $2 AND generation = $3`,
      [
        principalId,
        provider,
        generation,
        this.sealing.seal(token, placeOf(principalId, provider, generation + 1)),
        nowMs + this.pauseMs(provider),
        nowMs,
      ],
    );
  }

  /** The provider could not be asked: again later, and later each time. */
  async away({ principalId, provider, generation, failures, isUnclear }: Due, isUnclearNow: boolean): Promise<void> {
    const nowMs = this.store.wallMs();
    const backOffMs = Math.min(this.everyMs.get(provider) ?? 0, BACK_OFF_FIRST_MS * 2 ** Math.min(failures, 16));
    await this.store.source.query(
      `UPDATE liveness SET next_check_at_ms = $4, failures = failures + 1, asked_at_ms = $5
        WHERE principal_id = $1 AND provider = $2 AND generation = $3`,
      [
        principalId,
        provider,
        generation,
        nowMs + Math.round(backOffMs * (0.5 + this.random() / 2)),
        isUnclear || isUnclearNow ? nowMs : null,
      ],
    );
  }

  /** Within a change: forgets what is kept. @returns false where somebody signed in since, and nothing is to be done */
  async forget(manager: EntityManager, { principalId, provider, generation }: Due): Promise<boolean> {
    const [rows] = (await manager.query(
      'DELETE FROM liveness WHERE principal_id = $1 AND provider = $2 AND generation = $3 RETURNING generation',
      [principalId, provider, generation],
    )) as [unknown[], number];
    return rows.length > 0;
  }

  /** Within a change: the token was lost by us. @returns as `forget` */
  async lose(manager: EntityManager, { principalId, provider, generation }: Due): Promise<boolean> {
    const [rows] = (await manager.query(
      `UPDATE liveness SET sealed = NULL, next_check_at_ms = $4, asked_at_ms = NULL
        WHERE principal_id = $1 AND provider = $2 AND generation = $3 RETURNING generation`,
      [principalId, provider, generation, this.store.wallMs() + LOST_GRACE_MS],
    )) as [unknown[], number];
    return rows.length > 0;
  }

  /** Forgets what was kept of those who are gone for good, and of providers that are not asked any more. */
  async sweep(): Promise<void> {
    await this.store.source.query(
      `DELETE FROM liveness l USING principal p
        WHERE p.id = l.principal_id AND (p.status = 'removed' OR NOT (l.provider = ANY ($1)))`,
      [[...this.everyMs.keys()]],
    );
  }

  /** Seconds since the answer that is longest ago, of somebody active, by provider. */
  async oldestSeconds(): Promise<Map<string, number>> {
    const rows: { provider: string; oldest: string }[] = await this.store.source.query(
      `SELECT l.provider, min(l.checked_at_ms) AS oldest FROM liveness l JOIN principal p ON p.id = l.principal_id
        WHERE p.status = 'active' GROUP BY l.provider`,
    );
    const nowMs = this.store.wallMs();
    return new Map(rows.map(({ provider, oldest }) => [provider, Math.max(0, nowMs - Number(oldest)) / 1_000]));
  }

  /** Spread, so that people who signed in together are not asked after together for ever. */
  private pauseMs(provider: string): number {
    return Math.round((this.everyMs.get(provider) ?? 0) * (0.9 + this.random() * 0.2));
  }

  private opened({ principal_id: principalId, provider, generation, sealed }: Row): string | undefined {
    return sealed === null ? undefined : this.sealing.open(sealed, placeOf(principalId, provider, generation));
  }
}

function placeOf(principalId: string, provider: string, generation: number): string {
  return `liveness.sealed:${provider}:${principalId}:${generation}`;
}
