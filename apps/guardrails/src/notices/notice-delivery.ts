import { setTimeout as pause } from 'node:timers/promises';
import type { NoticeReceiver } from './notice-receiver.js';
import type { NoticeRow } from './notice-rows.js';
import type { NoticesStore } from './notices.store.js';
import type { ApprovalWebhook } from './webhook-settings.js';

/** Beyond the time of a post: until then nobody else takes its notice over. */
const CLAIM_MARGIN_MS = 5_000;

export interface NoticeDeliveryParts {
  readonly webhook: string;
  readonly settings: ApprovalWebhook;
  readonly store: Pick<NoticesStore, 'claim' | 'delivered' | 'failed'>;
  readonly receiver: NoticeReceiver;
  /** Milliseconds between two looks for what is due. */
  readonly lookEveryMs: number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onOutcome: (outcome: 'delivered' | 'failed' | 'dead') => void;
  readonly onFault: (error: unknown) => void;
}

/** Posts what is due to one receiver, at least once each, as long as it runs. One that is down holds up no other. */
export class NoticeDelivery {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly parts: NoticeDeliveryParts) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Gives up what is under way, which is posted again at the next start. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.parts.receiver.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const isWell = await this.round().catch((error: unknown) => {
        // The database is away: what is due stays due.
        this.parts.onFault(error);
        return false;
      });
      if (!isWell) await pause(this.parts.lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** @returns whether to look again at once: something was due, and the receiver took all of it */
  private async round(): Promise<boolean> {
    const { webhook, settings, store } = this.parts;
    const due = await store.claim(webhook, settings.connectionsMax, settings.requestTimeoutMs + CLAIM_MARGIN_MS);
    const taken = await Promise.all(due.map((notice) => this.deliver(notice)));
    return due.length > 0 && taken.every(Boolean);
  }

  private async deliver(notice: NoticeRow): Promise<boolean> {
    const { store, receiver, settings, onOutcome } = this.parts;
    const posted = await receiver.post(notice, this.stopping.signal);
    if (posted.isTaken) {
      await store.delivered(notice);
      onOutcome('delivered');
      return true;
    }
    if (this.stopping.signal.aborted) {
      await store.failed(notice, posted.reason, 0);
      return false;
    }
    const isDead = posted.isFinal || notice.attempts >= settings.attemptsMax;
    await store.failed(notice, posted.reason, isDead ? null : Math.max(posted.afterMs, this.backoffMs(notice)));
    onOutcome(isDead ? 'dead' : 'failed');
    return false;
  }

  /** Twice as long after each post, and up to a half less, so that not everything comes back at the same time. */
  private backoffMs({ attempts }: NoticeRow): number {
    const { firstRetryMs, lastRetryMs } = this.parts.settings;
    const ms = Math.min(firstRetryMs * 2 ** (attempts - 1), lastRetryMs);
    return Math.round(ms * (1 - this.parts.random() / 2));
  }
}
