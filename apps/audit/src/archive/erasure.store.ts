import { randomUUID } from 'node:crypto';
import type { RequestErasure } from '@warder/contracts';
import { type AdminActor, type Outbox, withStore } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { LegalHoldStore } from './legal-hold.store.js';

/** An erasure as it is told. */
export interface Erasure {
  readonly id: string;
  readonly subject: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly requestedAtMs: number;
  readonly state: 'requested' | 'finished';
  /** Records whose personal bytes were deleted, those of the archive included. */
  readonly records: number;
  readonly finishedAtMs: number | null;
}

/** An erasure that is to be done, and how its subject was called when it was last looked for. */
export interface DueErasure extends Erasure {
  readonly knownAs: readonly string[];
}

const VIEW = `id, subject, reason, requested_by AS "requestedBy", state, records::float8 AS records,
  (extract(epoch FROM requested_at) * 1000)::float8 AS "requestedAtMs",
  (extract(epoch FROM finished_at) * 1000)::float8 AS "finishedAtMs"`;

/** Erasures by subject: what was asked for, and how far it is. */
export class ErasureStore {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    private readonly holds: LegalHoldStore,
    private readonly wallMs: () => number,
  ) {}

  async list(): Promise<readonly Erasure[]> {
    return this.source.query(`SELECT ${VIEW} FROM erasure ORDER BY requested_at DESC, id LIMIT 1000`);
  }

  /** @throws AdminError 409 WDR_LEGAL_HOLD while a hold covers the subject */
  async request({ subject, reason }: RequestErasure, by: AdminActor): Promise<Erasure> {
    const hold = await this.holds.holdOn(subject);
    if (hold !== undefined) {
      throw new AdminError(409, 'WDR_LEGAL_HOLD', `the legal hold '${hold.name}' keeps these records`);
    }
    const id = randomUUID();
    return this.source.transaction(async (manager) => {
      const [requested] = (await manager.query(
        `INSERT INTO erasure (id, subject, reason, requested_by, requested_at, state)
         VALUES ($1, $2, $3, $4, to_timestamp($5::numeric / 1000.0), 'requested') RETURNING ${VIEW}`,
        [id, subject, reason, by.principal?.id ?? '', this.wallMs()],
      )) as [Erasure];
      await this.outbox.recordAdminAction(manager, {
        action: 'erasure.request',
        by,
        arguments: { id, subject, reason },
      });
      return requested;
    });
  }

  /** Erasures that are due: asked for, or finished so lately that records of before may still come. */
  async due(sinceMs: number): Promise<readonly DueErasure[]> {
    return withStore(() =>
      this.source.query(
        `SELECT ${VIEW}, coalesce(known_as, '{}') AS "knownAs" FROM erasure WHERE state = 'requested' OR finished_at > to_timestamp($1::numeric / 1000.0)
         ORDER BY requested_at`,
        [sinceMs],
      ),
    );
  }

  /** Remembers how the subject is called: once its records are erased they do not tell it any more. */
  async know(id: string, knownAs: readonly string[]): Promise<void> {
    await withStore(() => this.source.query('UPDATE erasure SET known_as = $2::text[] WHERE id = $1', [id, knownAs]));
  }

  /** Forgets how subjects were called whose erasures are not looked after any more. */
  async forget(finishedBeforeMs: number): Promise<void> {
    await withStore(() =>
      this.source.query(
        `UPDATE erasure SET known_as = NULL
         WHERE known_as IS NOT NULL AND finished_at <= to_timestamp($1::numeric / 1000.0)`,
        [finishedBeforeMs],
      ),
    );
  }

  async reopen(id: string): Promise<void> {
    await withStore(() => this.source.query(`UPDATE erasure SET state = 'requested' WHERE id = $1`, [id]));
  }

  async finish(id: string, records: number): Promise<void> {
    await withStore(() =>
      this.source.query(
        `UPDATE erasure SET state = 'finished', records = records + $2,
           finished_at = coalesce(finished_at, to_timestamp($3::numeric / 1000.0)) WHERE id = $1`,
        [id, records, this.wallMs()],
      ),
    );
  }
}
