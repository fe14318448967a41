import { setTimeout as delay } from 'node:timers/promises';
import { type Bus, BusError } from '@warder/bus';
import {
  AppliedWait,
  grantStateTopic,
  principalStateTopic,
  signingKeyStateTopic,
  tokenStateTopic,
  trustedIssuerStateTopic,
} from '@warder/contracts';
import type { Outbox } from '@warder/postgres';
import { parseBody } from '@warder/service-host';

export const TOPICS = [
  principalStateTopic,
  tokenStateTopic,
  grantStateTopic,
  signingKeyStateTopic,
  trustedIssuerStateTopic,
];

/** What a change answers; `appliedEverywhere` only where the caller waited. */
export type Spreading<View> = View & { appliedEverywhere?: boolean };

/** How far a change has come: in the database it is at once, at the doors when they have read it. */
export class Spread {
  private owning: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly bus: Bus,
    private readonly outbox: Outbox,
  ) {}

  /** Publishes, and answers for the topics once everything committed is on them: waits as long as the bus is away. */
  async start(): Promise<void> {
    this.outbox.start();
    this.owning = this.outbox.drained(TOPICS).then(() => Promise.all(TOPICS.map((topic) => this.bus.own(topic))));
    await this.owning;
  }

  stop(): Promise<void> {
    return this.outbox.stop();
  }

  /**
   * Makes a change, and where the query says `wait` (milliseconds) waits until every ingress node has applied it.
   * @throws AdminError 400 WDR_BODY_INVALID on any other query, before anything is changed
   */
  async after<View extends object>(query: unknown, change: () => Promise<View>): Promise<Spreading<View>> {
    const { wait } = parseBody(AppliedWait, query);
    const view = await change();
    return wait === undefined ? view : { ...view, appliedEverywhere: await this.isEverywhere(wait) };
  }

  private async isEverywhere(waitMs: number): Promise<boolean> {
    const late = new AbortController();
    const tooLate = delay(waitMs, false, { signal: late.signal }).catch(() => false);
    try {
      return await Promise.race([tooLate, this.readByAll(waitMs)]);
    } finally {
      late.abort();
    }
  }

  /** The answer to the caller is the same whether the bus is slow or away: not yet. */
  private async readByAll(waitMs: number): Promise<boolean> {
    try {
      await this.owning;
      await this.outbox.drained(TOPICS);
      const read = TOPICS.map((topic) => this.bus.everyNodeRead(topic, 'ingress', waitMs));
      return (await Promise.all(read)).every(Boolean);
    } catch (error) {
      if (error instanceof BusError) return false;
      throw error;
    }
  }
}
