import { setTimeout as wait } from 'node:timers/promises';
import type { Settle } from './http-destination.js';
import { type HttpReceiver, jsonObjectOf } from './http-receiver.js';
import { tryAgain } from './receiver-busy.js';
import type { Rendered } from './rendered.js';

/**
 * The posts of one channel whose indexing is not acknowledged yet: those of one batch, so a few hundred at most.
 * Splunk forgets an `ackId` once it has said true to it, and never says false for good: one that stays false is sent
 * again.
 */
export class SplunkAcknowledgements {
  private readonly pending = new Map<number, readonly Rendered[]>();

  constructor(
    private readonly receiver: HttpReceiver,
    private readonly channel: string,
    private readonly pollMs: number,
  ) {}

  expect(ackId: number, part: readonly Rendered[]): void {
    // An id that is given twice means that Splunk forgot the channel: the older post can no longer be told.
    this.pending.set(ackId, part);
  }

  /** Asks until every post is acknowledged. @throws Error when the signal fires first, or an answer is no answer */
  async wait(settle: Settle, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.ask(settle, signal);
      if (this.pending.size === 0) return;
      try {
        await wait(this.pollMs, undefined, { signal });
      } catch (error) {
        throw new Error(`${this.pending.size} posts are not acknowledged by the indexers in time`, { cause: error });
      }
    }
  }

  /** Asks once for the posts of the try before that hold records of this one, and forgets those that stay open. */
  async recall(open: readonly Rendered[], settle: Settle, signal: AbortSignal): Promise<void> {
    const keys = new Set(open.map(({ record }) => record.key));
    for (const [ackId, part] of this.pending)
      if (!part.some(({ record }) => keys.has(record.key))) this.pending.delete(ackId);
    await this.ask(settle, signal);
    this.pending.clear();
  }

  private async ask(settle: Settle, signal: AbortSignal): Promise<void> {
    if (this.pending.size === 0) return;
    const body = JSON.stringify({ acks: [...this.pending.keys()] });
    const answer = await this.receiver.post('/services/collector/ack', body, signal, {
      'x-splunk-request-channel': this.channel,
    });
    const acks = jsonObjectOf(answer)?.acks;
    if (answer.status !== 200 || typeof acks !== 'object' || acks === null)
      throw tryAgain(answer, 'asked for acknowledgements');
    for (const [ackId, part] of this.pending) {
      if ((acks as Record<string, unknown>)[ackId] !== true) continue;
      this.pending.delete(ackId);
      settle.delivered(part);
    }
  }
}
