import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { changed } from '../approvals/approval-rows.store.js';
import { testBody } from './notice-body.js';
import { type DeadLetter, deadLetterOf, type NoticeRow, type WebhookReport } from './notice-rows.js';
import { messageId, type NoticesStore } from './notices.store.js';
import type { ApprovalWebhooks } from './webhook-settings.js';

const PAGE_ROWS = 100;

interface Counted {
  readonly name: string;
  readonly delivered: string;
  readonly dropped: string;
  readonly last_delivered_at_ms: string | null;
  readonly last_failed_at_ms: string | null;
  readonly last_error: string | null;
}

export interface NoticeDeskParts {
  readonly source: DataSource;
  readonly outbox: Pick<Outbox, 'recordAdminAction'>;
  readonly notices: Pick<NoticesStore, 'add'>;
  readonly webhooks: ApprovalWebhooks;
  readonly wallMs: () => number;
}

/** Receivers of notices at the admin door: how each is doing, and what operators do about it, on record. */
export class NoticeDesk {
  constructor(private readonly parts: NoticeDeskParts) {}

  async reports(): Promise<WebhookReport[]> {
    const { source, webhooks } = this.parts;
    const counts: { webhook: string; waiting: number; dead: number }[] = await source.query(
      `SELECT webhook, count(*) FILTER (WHERE NOT is_dead)::int AS waiting, count(*) FILTER (WHERE is_dead)::int AS dead
       FROM approval_notice GROUP BY webhook`,
    );
    const states: Counted[] = await source.query('SELECT * FROM approval_webhook');
    return Object.entries(webhooks).map(([name, { url, events, groups = null }]) => {
      const { waiting = 0, dead = 0 } = counts.find(({ webhook }) => webhook === name) ?? {};
      const state = states.find((each) => each.name === name);
      return {
        name,
        url,
        events,
        groups,
        waiting,
        deadLetters: dead,
        delivered: Number(state?.delivered ?? 0),
        dropped: Number(state?.dropped ?? 0),
        lastDeliveredAtMs: timeOf(state?.last_delivered_at_ms),
        lastFailedAtMs: timeOf(state?.last_failed_at_ms),
        lastError: state?.last_error ?? null,
      };
    });
  }

  /**
   * Dead letters, the newest first, 100 at most.
   * @param before - the id of the last one of the page before
   * @throws AdminError 404 WDR_APPROVAL_WEBHOOK_UNKNOWN, 400 WDR_BODY_INVALID
   */
  async deadLetters(webhook: string, before: string | undefined): Promise<DeadLetter[]> {
    this.known(webhook);
    if (before !== undefined && !/^\d{1,18}$/.test(before))
      throw new AdminError(400, 'WDR_BODY_INVALID', 'before: the id of a dead letter');
    const rows: NoticeRow[] = await this.parts.source.query(
      `SELECT * FROM approval_notice WHERE webhook = $1 AND is_dead AND ($2::bigint IS NULL OR id < $2)
       ORDER BY id DESC LIMIT ${PAGE_ROWS}`,
      [webhook, before ?? null],
    );
    return rows.map(deadLetterOf);
  }

  /**
   * Puts a dead letter on its way once more, with all its attempts before it, whether its question is over or not.
   * @throws AdminError 404 WDR_APPROVAL_WEBHOOK_UNKNOWN, 404 WDR_APPROVAL_NOTICE_UNKNOWN
   */
  async retry(webhook: string, id: string, by: AdminActor): Promise<DeadLetter> {
    this.known(webhook);
    const { source, outbox, wallMs } = this.parts;
    return source.transaction(async (manager) => {
      const [row] = await changed<NoticeRow>(
        manager,
        `UPDATE approval_notice SET is_dead = false, attempts = 0, next_at_ms = $3, useless_after_ms = NULL
         WHERE webhook = $1 AND id::text = $2 AND is_dead RETURNING *`,
        [webhook, id, wallMs()],
      );
      if (row === undefined) throw new AdminError(404, 'WDR_APPROVAL_NOTICE_UNKNOWN', 'there is no such dead letter');
      const about = { webhook, id, approvalId: row.approval_id };
      await outbox.recordAdminAction(manager, { action: 'approval-notice.retry', by, arguments: about });
      return deadLetterOf(row);
    });
  }

  /** @throws AdminError 404 WDR_APPROVAL_WEBHOOK_UNKNOWN, 409 WDR_APPROVAL_WEBHOOK_FULL */
  async test(webhook: string, by: AdminActor): Promise<void> {
    this.known(webhook);
    const { source, outbox, notices, wallMs } = this.parts;
    await source.transaction(async (manager) => {
      const notice = {
        webhook,
        approvalId: messageId(),
        event: 'test',
        body: testBody(wallMs()),
        uselessAfterMs: null,
      };
      if (!(await notices.add(manager, notice)))
        throw new AdminError(409, 'WDR_APPROVAL_WEBHOOK_FULL', 'too many notices wait for this receiver');
      await outbox.recordAdminAction(manager, { action: 'approval-webhook.test', by, arguments: { webhook } });
    });
  }

  private known(webhook: string): void {
    if (!Object.hasOwn(this.parts.webhooks, webhook))
      throw new AdminError(404, 'WDR_APPROVAL_WEBHOOK_UNKNOWN', 'no webhook has this name');
  }
}

function timeOf(ms: string | null | undefined): number | null {
  return ms === null || ms === undefined ? null : Number(ms);
}
