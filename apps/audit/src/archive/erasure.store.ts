import { randomUUID } from 'node:crypto';
import type { RequestErasure } from '@warder/contracts';
import { type AdminActor, type Outbox, withStore } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { ERASED_RECORD, HAS_PERSONAL } from './erased-text.js';
import type { LegalHoldStore } from './legal-hold.store.js';

/** Records of one statement, so that each stays within its time. */
const ROWS_PER_STATEMENT = 5_000;

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

const VIEW = `id, subject, reason, requested_by AS "requestedBy", state, records::float8 AS records,
  (extract(epoch FROM requested_at) * 1000)::float8 AS "requestedAtMs",
  (extract(epoch FROM finished_at) * 1000)::float8 AS "finishedAtMs"`;

/** Erasures by subject: what was asked for, and the deletion in Postgres. */
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
  async due(sinceMs: number): Promise<readonly Erasure[]> {
    return withStore(() =>
      this.source.query(
        `SELECT ${VIEW} FROM erasure WHERE state = 'requested' OR finished_at > to_timestamp($1::numeric / 1000.0)
         ORDER BY requested_at`,
        [sinceMs],
      ),
    );
  }

  /** Deletes the subject's personal bytes from Postgres: records, roll-ups, quarantine. @returns records changed */
  async eraseHot({ subject, requestedAtMs }: Erasure): Promise<number> {
    let records = 0;
    for (;;) {
      const [, changed] = await withStore<[unknown, number]>(() =>
        this.source.query(
          `UPDATE call_record SET record = ${ERASED_RECORD}, principal_name = NULL, principal_email = NULL, agent_name = NULL
           WHERE (occurred_at, record_id) IN (
             SELECT occurred_at, record_id FROM call_record
             WHERE principal_id = $1 AND occurred_at <= to_timestamp($2::numeric / 1000.0) AND ${HAS_PERSONAL}
             LIMIT ${ROWS_PER_STATEMENT})`,
          [subject, requestedAtMs],
        ),
      );
      records += changed;
      if (changed < ROWS_PER_STATEMENT) break;
    }
    records += await this.eraseChangesOf(subject, requestedAtMs);
    await withStore(async () => {
      await this.source.query(
        `UPDATE usage_day SET principal_name = NULL, principal_email = NULL, agent_name = NULL
         WHERE principal_id = $1 AND last_at <= to_timestamp($2::numeric / 1000.0)`,
        [subject, requestedAtMs],
      );
      await this.source.query(
        `DELETE FROM quarantine WHERE position(convert_to($1, 'UTF8') IN value) > 0
           AND quarantined_at <= to_timestamp($2::numeric / 1000.0)`,
        [`"${subject}"`, requestedAtMs],
      );
    });
    return records;
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

  /** Records of administration that name the subject: its e-mail address stands in what another person did. */
  private async eraseChangesOf(subject: string, untilMs: number): Promise<number> {
    const [, changed] = await withStore<[unknown, number]>(() =>
      this.source.query(
        `UPDATE call_record SET record = ${ERASED_RECORD}, principal_name = NULL, principal_email = NULL, agent_name = NULL
         WHERE kind = 'admin' AND occurred_at <= to_timestamp($2::numeric / 1000.0) AND ${HAS_PERSONAL}
           AND strpos(record::text, $1) > 0`,
        [`"${subject}"`, untilMs],
      ),
    );
    return changed;
  }
}
