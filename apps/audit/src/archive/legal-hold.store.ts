import { randomUUID } from 'node:crypto';
import type { PlaceLegalHold } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource } from 'typeorm';

/** A hold as it is told. */
export interface LegalHold {
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  readonly subject: string | null;
  readonly fromDay: string | null;
  readonly toDay: string | null;
  readonly placedBy: string;
  readonly placedAtMs: number;
  readonly releasedBy: string | null;
  readonly releasedAtMs: number | null;
}

const VIEW = `id, name, reason, subject, to_char(from_day, 'YYYY-MM-DD') AS "fromDay", to_char(to_day, 'YYYY-MM-DD') AS "toDay",
  placed_by AS "placedBy", (extract(epoch FROM placed_at) * 1000)::float8 AS "placedAtMs",
  released_by AS "releasedBy", (extract(epoch FROM released_at) * 1000)::float8 AS "releasedAtMs"`;
const IN_FORCE = 'released_at IS NULL';

/** What must not be deleted, whatever retention or an erasure says. */
export class LegalHoldStore {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    private readonly wallMs: () => number,
  ) {}

  async list(): Promise<readonly LegalHold[]> {
    return this.source.query(`SELECT ${VIEW} FROM legal_hold ORDER BY placed_at DESC, id`);
  }

  async place(body: PlaceLegalHold, by: AdminActor): Promise<LegalHold> {
    const { name, reason, subject = null, fromDay = null, toDay = null } = body;
    const id = randomUUID();
    return this.source.transaction(async (manager) => {
      const [placed] = (await manager.query(
        `INSERT INTO legal_hold (id, name, reason, subject, from_day, to_day, placed_by, placed_at)
         VALUES ($1, $2, $3, $4, $5::date, $6::date, $7, to_timestamp($8::numeric / 1000.0)) RETURNING ${VIEW}`,
        [id, name, reason, subject, fromDay, toDay, by.principal?.id ?? '', this.wallMs()],
      )) as [LegalHold];
      await this.outbox.recordAdminAction(manager, { action: 'hold.place', by, arguments: { id, ...body } });
      return placed;
    });
  }

  /** @throws AdminError 404 WDR_HOLD_UNKNOWN; a hold that is released already is answered as it is */
  async release(id: string, by: AdminActor): Promise<LegalHold> {
    return this.source.transaction(async (manager) => {
      const [rows, changed] = (await manager.query(
        `UPDATE legal_hold SET released_by = $2, released_at = to_timestamp($3::numeric / 1000.0)
         WHERE id::text = $1 AND ${IN_FORCE} RETURNING ${VIEW}`,
        [id, by.principal?.id ?? '', this.wallMs()],
      )) as [LegalHold[], number];
      if (changed === 1) {
        await this.outbox.recordAdminAction(manager, { action: 'hold.release', by, arguments: { id } });
        return rows[0]!;
      }
      const [known] = (await manager.query(`SELECT ${VIEW} FROM legal_hold WHERE id::text = $1`, [id])) as LegalHold[];
      if (known === undefined) throw new AdminError(404, 'WDR_HOLD_UNKNOWN', 'no legal hold has this id');
      return known;
    });
  }

  /** Which of the days a hold covers. Of a hold for one subject the whole day is kept: nothing is cut out of a file. */
  async heldOf(days: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = (await this.source.query(
      `SELECT to_char(d.day, 'YYYY-MM-DD') AS day FROM unnest($1::date[]) AS d(day) WHERE EXISTS (
         SELECT FROM legal_hold h WHERE ${IN_FORCE} AND d.day >= coalesce(h.from_day, '-infinity'::date)
           AND d.day <= coalesce(h.to_day, 'infinity'::date))`,
      [days],
    )) as { day: string }[];
    return new Set(rows.map(({ day }) => day));
  }

  /** The hold that keeps this subject's records from being erased, if there is one. */
  async holdOn(subject: string): Promise<LegalHold | undefined> {
    const [hold] = (await this.source.query(
      `SELECT ${VIEW} FROM legal_hold WHERE ${IN_FORCE} AND (subject IS NULL OR subject = $1) ORDER BY placed_at LIMIT 1`,
      [subject],
    )) as LegalHold[];
    return hold;
  }
}
