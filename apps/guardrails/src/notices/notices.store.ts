import { randomBytes } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { changed } from '../approvals/approval-rows.store.js';
import type { ApprovalRow } from '../approvals/approval-view.js';
import { eventOf, isTold, noticeBody, type NoticeTerms } from './notice-body.js';
import type { NoticeRow } from './notice-rows.js';
import type { ApprovalWebhooks } from './webhook-settings.js';

const DAY_MS = 86_400_000;

export interface NoticesStoreParts extends Pick<NoticeTerms, 'nameOf' | 'pageUrl'> {
  readonly source: Pick<DataSource, 'query' | 'transaction' | 'manager'>;
  readonly webhooks: ApprovalWebhooks;
  /** Days that a dead letter is kept. */
  readonly keepDays: number;
  readonly wallMs: () => number;
  /** Told of each notice that was not written down, since too many wait. */
  readonly onDropped: (webhook: string) => void;
}

/** Notices between the change that they tell of, with which they are committed, and their receivers. */
export class NoticesStore {
  constructor(private readonly parts: NoticesStoreParts) {}

  /** Puts what became of a question on its way to every receiver that is told of it, in the transaction of the change. */
  async put(manager: EntityManager, row: ApprovalRow): Promise<void> {
    const { webhooks, wallMs, nameOf, pageUrl } = this.parts;
    for (const [webhook, settings] of Object.entries(webhooks)) {
      if (!isTold(settings, row)) continue;
      const nowMs = wallMs();
      const body = noticeBody(row, { nameOf, pageUrl, nowMs, withArguments: settings.arguments });
      const uselessAfterMs = row.status === 'pending' ? Number(row.expires_at_ms) : null;
      await this.add(manager, { webhook, approvalId: row.id, event: eventOf(row), body, uselessAfterMs });
    }
  }

  /** @returns whether it was added; false where too many wait, which is counted */
  async add(
    manager: EntityManager,
    notice: { webhook: string; approvalId: string; event: string; body: string; uselessAfterMs: number | null },
  ): Promise<boolean> {
    const { webhooks, wallMs, onDropped } = this.parts;
    const { webhook, approvalId, event, body, uselessAfterMs } = notice;
    const added = (await manager.query(
      `INSERT INTO approval_notice (webhook, approval_id, event, message_id, body, created_at_ms, next_at_ms, useless_after_ms)
       SELECT $1, $2, $3, $4, $5, $6, $6, $7
       WHERE (SELECT count(*) FROM approval_notice WHERE webhook = $1 AND NOT is_dead) < $8 RETURNING id`,
      [webhook, approvalId, event, messageId(), body, wallMs(), uselessAfterMs, webhooks[webhook]!.waitingMax],
    )) as unknown[];
    if (added.length > 0) return true;
    onDropped(webhook);
    await manager.query(
      `INSERT INTO approval_webhook (name, dropped) VALUES ($1, 1)
       ON CONFLICT (name) DO UPDATE SET dropped = approval_webhook.dropped + 1`,
      [webhook],
    );
    return false;
  }

  /**
   * Takes what is due for a receiver, for so long: who dies with it leaves it to the next look. Of one question the
   * older notice goes first, so that nobody hears of an answer before the question.
   */
  async claim(webhook: string, rowsMax: number, forMs: number): Promise<NoticeRow[]> {
    const nowMs = this.parts.wallMs();
    return this.parts.source.transaction(async (manager) => {
      await manager.query(
        `UPDATE approval_notice SET is_dead = true,
           last_error = 'the question was over before it was delivered' || coalesce(': ' || last_error, '')
         WHERE webhook = $1 AND NOT is_dead AND next_at_ms <= $2 AND useless_after_ms <= $2`,
        [webhook, nowMs],
      );
      const rows = await changed<NoticeRow>(
        manager,
        `UPDATE approval_notice SET attempts = attempts + 1, next_at_ms = $3 WHERE id IN (
           SELECT id FROM approval_notice due WHERE webhook = $1 AND NOT is_dead AND next_at_ms <= $2 AND NOT EXISTS (
             SELECT 1 FROM approval_notice older WHERE older.webhook = due.webhook AND NOT older.is_dead
               AND older.approval_id = due.approval_id AND older.id < due.id
           ) ORDER BY next_at_ms LIMIT $4 FOR UPDATE SKIP LOCKED
         ) RETURNING *`,
        [webhook, nowMs, nowMs + forMs, rowsMax],
      );
      return rows;
    });
  }

  /** The receiver took it. */
  async delivered({ id, webhook }: NoticeRow): Promise<void> {
    const nowMs = this.parts.wallMs();
    await this.parts.source.transaction(async (manager) => {
      await manager.query('DELETE FROM approval_notice WHERE id = $1', [id]);
      await manager.query(
        `INSERT INTO approval_webhook (name, delivered, last_delivered_at_ms) VALUES ($1, 1, $2)
         ON CONFLICT (name) DO UPDATE SET delivered = approval_webhook.delivered + 1, last_delivered_at_ms = $2`,
        [webhook, nowMs],
      );
    });
  }

  /**
   * The receiver did not take it.
   * @param afterMs - milliseconds until it is posted again; null: never, it is a dead letter now
   */
  async failed({ id, webhook, attempts }: NoticeRow, reason: string, afterMs: number | null): Promise<void> {
    const nowMs = this.parts.wallMs();
    await this.parts.source.transaction(async (manager) => {
      // Whoever took it over since has counted a post of their own, and says what became of that.
      await manager.query(
        `UPDATE approval_notice SET last_error = $3, is_dead = $4, next_at_ms = $5 WHERE id = $1 AND attempts = $2`,
        [id, attempts, reason, afterMs === null, nowMs + (afterMs ?? 0)],
      );
      await manager.query(
        `INSERT INTO approval_webhook (name, last_failed_at_ms, last_error) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET last_failed_at_ms = $2, last_error = $3`,
        [webhook, nowMs, reason],
      );
    });
  }

  /** Forgets what is old, and dead letters beyond each receiver's bound. */
  async sweep(): Promise<void> {
    const { source, webhooks, keepDays, wallMs } = this.parts;
    await source.query('DELETE FROM approval_notice WHERE created_at_ms < $1', [wallMs() - keepDays * DAY_MS]);
    for (const [webhook, { deadLettersMax }] of Object.entries(webhooks))
      await source.query(
        `DELETE FROM approval_notice WHERE webhook = $1 AND is_dead AND id <= (
           SELECT id FROM approval_notice WHERE webhook = $1 AND is_dead ORDER BY id DESC OFFSET $2 LIMIT 1
         )`,
        [webhook, deadLettersMax],
      );
  }
}

/** Names a message, and is no secret. */
export function messageId(): string {
  return `msg_${randomBytes(16).toString('base64url')}`;
}
