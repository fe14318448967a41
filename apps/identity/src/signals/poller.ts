import { setTimeout as delay } from 'node:timers/promises';
import type { GuardedFetch } from '@warder/egress';
import { z } from 'zod';
import type { EventReceiver } from './event-receiver.js';
import { KeysAway } from './sender-keys.js';
import type { TransmitterConfig } from './signals-config.js';
import { MessageRefused } from './signed-message.js';

const BACK_OFF_FIRST_MS = 1_000;
const BACK_OFF_MAX_MS = 60_000;

/** RFC 8936 section 2.5. */
const PollAnswer = z.looseObject({
  sets: z.record(z.string().min(1).max(500), z.string().max(100_000)),
  moreAvailable: z.boolean().default(false),
});

export interface PollerParts {
  readonly fetch: GuardedFetch;
  readonly monotonicMs: () => number;
  /** A number in [0, 1). */
  random(): number;
  onRefusal(told: { detail: string }): void;
  onFailure(error: unknown, failures: number): void;
}

/** What the next question says of the tokens of the last answer. */
interface Settled {
  readonly ack: readonly string[];
  readonly setErrs: Readonly<Record<string, { readonly err: string; readonly description: string }>>;
}

const NOTHING: Settled = { ack: [], setErrs: {} };

/**
 * Asks a transmitter for its events, for as long as it runs. A token is acknowledged with the question after the one
 * that brought it, once what it says is committed; a process that dies in between is given it again, and knows it.
 */
export class Poller {
  private answeredAtMs: number;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly receiver: EventReceiver,
    private readonly poll: NonNullable<TransmitterConfig['poll']>,
    private readonly parts: PollerParts,
  ) {
    this.answeredAtMs = parts.monotonicMs();
  }

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Seconds since the transmitter last answered as it should: what happened there since is not known here. */
  lagSeconds(): number {
    return (this.parts.monotonicMs() - this.answeredAtMs) / 1_000;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let settled = NOTHING;
    for (let failures = 0; !signal.aborted;) {
      const askedAtMs = this.parts.monotonicMs();
      let waitMs: number;
      try {
        const wasIdle = isNothing(settled);
        const { next, isMore } = await this.ask(settled);
        settled = next;
        failures = 0;
        this.answeredAtMs = this.parts.monotonicMs();
        // A transmitter that keeps no question open would be asked without a pause.
        const pauseMs = this.poll.everySeconds * 1_000 - (this.answeredAtMs - askedAtMs);
        waitMs = wasIdle && isNothing(next) && !isMore ? Math.max(0, pauseMs) : 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.parts.onFailure(error, failures);
        const backOffMs = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** Math.min(failures - 1, 16));
        waitMs = backOffMs * (0.5 + this.parts.random() / 2);
      }
      if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  /** One question. @throws whatever keeps the transmitter away */
  private async ask(settled: Settled): Promise<{ next: Settled; isMore: boolean }> {
    const { url, token, messagesMax } = this.poll;
    const answer = await this.parts.fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json',
      },
      // What was taken is said at once: a question that is kept open would keep it from the transmitter.
      body: JSON.stringify({ ...settled, maxEvents: messagesMax, returnImmediately: !isNothing(settled) }),
      signal: this.stopping.signal,
    });
    if (answer.status !== 200) throw new Error(`the transmitter answers ${answer.status}`);
    const { sets, moreAvailable } = PollAnswer.parse(await answer.json());
    const entries = Object.entries(sets).slice(0, messagesMax);
    const next = await this.settle(entries);
    return { next, isMore: moreAvailable };
  }

  private async settle(entries: readonly (readonly [string, string])[]): Promise<Settled> {
    const ack: string[] = [];
    const setErrs: Record<string, { err: string; description: string }> = {};
    for (const [tokenId, text] of entries) {
      if (this.stopping.signal.aborted) break;
      try {
        await this.receiver.take(text, '', tokenId);
        ack.push(tokenId);
      } catch (error) {
        // Told again later, once there are keys to judge it by.
        if (error instanceof KeysAway) throw error;
        if (!(error instanceof MessageRefused)) throw error;
        this.parts.onRefusal({ detail: `${this.receiver.config.id}: ${error.fault}: ${error.message}` });
        setErrs[tokenId] = { err: error.fault, description: error.message };
      }
    }
    return { ack, setErrs };
  }
}

function isNothing({ ack, setErrs }: Settled): boolean {
  return ack.length === 0 && Object.keys(setErrs).length === 0;
}
