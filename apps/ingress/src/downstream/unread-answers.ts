import type { ServerResponse } from 'node:http';
import { Chain, type Linked } from './chain.js';

interface Unread extends Linked {
  readonly response: ServerResponse;
  readonly bytes: number;
}

/**
 * Whole answers that wait for clients which do not read. Each may wait for a while; all together hold no more than a
 * bound, past which the one that has waited longest is given up: a client that reads is gone from here in milliseconds.
 */
export class UnreadAnswers {
  private readonly waiting = new Chain<Unread>();
  private bytes = 0;

  constructor(private readonly bytesMax: number) {}

  /** @param response - ended, with something of it still to be sent */
  add(response: ServerResponse): void {
    const unread: Unread = { response, bytes: response.writableLength, before: undefined, after: undefined };
    this.waiting.add(unread);
    this.bytes += unread.bytes;
    response.once('close', () => {
      this.waiting.remove(unread);
      this.bytes -= unread.bytes;
    });
    if (this.bytes > this.bytesMax) this.giveUpOldest();
  }

  private giveUpOldest(): void {
    let excess = this.bytes - this.bytesMax;
    for (const { response, bytes } of this.waiting) {
      if (excess <= 0) return;
      excess -= bytes;
      response.destroy();
    }
  }
}
