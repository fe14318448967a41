import {
  clientCredentialsRequest,
  exchangeRequest,
  type GrantedTokens,
  readTokenAnswer,
  refreshRequest,
  type ProviderSetup,
} from '@warder/provider-catalog';
import type { Callbacks } from './callbacks.js';
import { HeldOff } from './held-off.js';
import type { SubjectToken, SubjectTokens } from './subject-tokens.js';
import { type ProviderAnswer, type ProviderClient, ProviderSilent } from './provider-client.js';
import { type ProviderSetups, SetupUnusable } from './provider-setups.js';
import { backOffMs, retryAfterMs } from './refresh-schedule.js';
import type { RefreshMetrics } from './refresh-metrics.js';
import type { Asked, Begun, NotBegun, RefreshStore } from './refresh.store.js';

/** How a refresh ended. */
export type Refreshed = 'refreshed' | 'reconnect-required' | 'postponed' | NotBegun;

export interface RefresherParts {
  readonly store: RefreshStore;
  readonly setups: ProviderSetups;
  readonly client: Pick<ProviderClient, 'send'>;
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
  /** As it was when the person consented. */
  readonly callbacks: Pick<Callbacks, 'urlOf'>;
  /** What is exchanged. */
  readonly subjects: Pick<SubjectTokens, 'of'>;
  /** Told of a connection that has another access token now: leases of the one before are superseded. */
  readonly onRefreshed: (id: string) => void;
  readonly metrics: Pick<RefreshMetrics, 'outcome' | 'failure'>;
  readonly wallMs: () => number;
  readonly random: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

/** How often new tokens are tried to be written, while the store or the database is away: for about ten minutes. */
const WRITES_MAX = 60;
const WRITE_AGAIN_MS = 10_000;

/** Refreshes connections, each at most once at a time in this process, and at most once anywhere by the intent of the row. */
export class Refresher {
  private readonly running = new Map<string, Promise<Refreshed>>();
  private readonly heldOff = new HeldOff();

  constructor(private readonly parts: RefresherParts) {}

  /** Refreshes that are under way. */
  get count(): number {
    return this.running.size;
  }

  isRunning(id: string): boolean {
    return this.running.has(id);
  }

  /**
   * Refreshes a connection; callers that come while it runs share its outcome.
   * @throws SecretError while its token cannot be opened
   */
  refresh(id: string, asked: Asked): Promise<Refreshed> {
    const known = this.running.get(id);
    if (known !== undefined) return known;
    const run = this.counted(this.run(id, asked)).finally(() => this.running.delete(id));
    this.running.set(id, run);
    return run;
  }

  /** Resolves once nothing is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.running.values());
  }

  private async counted(run: Promise<Refreshed>): Promise<Refreshed> {
    const { metrics } = this.parts;
    try {
      const outcome = await run;
      metrics.outcome(outcome);
      return outcome;
    } catch (error) {
      metrics.outcome('store-away');
      throw error;
    }
  }

  private async run(id: string, asked: Asked): Promise<Refreshed> {
    if (asked !== 'schedule' && this.heldOff.has(id, asked.generation, this.parts.wallMs())) return 'postponed';
    const begun = await this.parts.store.begin(id, asked);
    if (typeof begun === 'string') return begun;
    let setup: ProviderSetup;
    try {
      setup = await this.parts.setups.of(begun.provider);
    } catch (error) {
      if (!(error instanceof SetupUnusable)) {
        await this.parts.store.postpone(begun, backOffMs(1, this.parts.random()), false);
        throw error;
      }
      this.parts.metrics.failure('setup');
      return this.later(begun, { delayMs: undefined, alarm: error.message, isUnknown: false });
    }
    try {
      if (begun.connection.kind === 'token_exchange') return await this.exchange(begun, setup);
      return await this.judge(begun, setup, await this.send(begun, setup));
    } catch (error) {
      if (!(error instanceof ProviderSilent)) throw error;
      return this.silent(begun, error);
    }
  }

  private send({ connection, provider, refreshToken }: Begun, setup: ProviderSetup): Promise<ProviderAnswer> {
    const request =
      refreshToken === null
        ? clientCredentialsRequest(setup, connection.scopes)
        : refreshRequest(setup, refreshToken, this.parts.callbacks.urlOf(provider));
    return this.parts.client.send(request);
  }

  /**
   * Exchanges the person's token. One that was refreshed while it was on its way may have been ended by that: the one that
   * took its place is exchanged once more.
   */
  private async exchange(begun: Begun, setup: ProviderSetup): Promise<Refreshed> {
    const { store, subjects, client, wallMs } = this.parts;
    let answer: ProviderAnswer;
    for (let used: SubjectToken | undefined; ;) {
      const subject = await subjects.of(begun);
      if (subject === undefined) {
        // Its provider, and not this one, has to be waited for; or it ended, and this connection has ended with it.
        await store.postpone(begun, 0, false);
        return 'postponed';
      }
      const { exchange, scopes } = begun.provider;
      answer = await client.send(exchangeRequest(setup, { ...exchange, subjectToken: subject.token, scopes }));
      const isTaken = 'tokens' in readTokenAnswer(setup.entry, 'first', answer, wallMs());
      const isSame = used !== undefined || (await subjects.of(begun))?.generation === subject.generation;
      if (isTaken || isSame) return this.judge(begun, setup, answer);
      used = subject;
    }
  }

  private async judge(begun: Begun, setup: ProviderSetup, answer: ProviderAnswer): Promise<Refreshed> {
    const { store, random, wallMs } = this.parts;
    const grant = begun.refreshToken === null ? 'first' : 'refresh';
    const read = readTokenAnswer(setup.entry, grant, answer, wallMs());
    if ('tokens' in read) return this.write(begun, read.tokens);
    const { kind, code } = read.failure;
    this.parts.metrics.failure(kind);
    const failures = begun.provider.failures + 1;
    if (kind === 'terminal') {
      await store.giveUp(begun, code);
      return 'reconnect-required';
    }
    // RFC 8693 section 2.2.2: a subject token that is not taken is `invalid_request` too, and is one person's alone.
    if (kind === 'request' && begun.connection.kind === 'token_exchange') {
      this.heldOff.add(begun.connection.id, begun.connection.generation, wallMs());
      await store.pause(begun.provider.id, 0, code);
      await store.postpone(begun, 0, false);
      return 'postponed';
    }
    const delayMs = retryAfterMs(answer.retryAfterMs, failures, random());
    // What is wrong with our client or with the request is nobody's connection's fault.
    return this.later(begun, { delayMs, alarm: kind === 'busy' ? null : code, isUnknown: false });
  }

  /** The tokens exist nowhere else: they are written as soon as anything lets them be. */
  private async write(begun: Begun, tokens: GrantedTokens): Promise<Refreshed> {
    const { store, log, wait } = this.parts;
    for (let tries = 1; ; tries += 1) {
      try {
        if ((await store.succeed(begun, tokens)) !== 'written') return 'settled';
        this.parts.onRefreshed(begun.connection.id);
        return 'refreshed';
      } catch (error) {
        if (tries >= WRITES_MAX) throw error;
        log.error({ err: error, connection: begun.connection.id }, 'new tokens cannot be written yet');
        await wait(Math.min(tries * 1_000, WRITE_AGAIN_MS));
      }
    }
  }

  private silent(begun: Begun, { wasSent, message }: ProviderSilent): Promise<Refreshed> {
    const { provider, connection } = begun;
    this.parts.metrics.failure(wasSent ? 'unanswered' : 'unsent');
    this.parts.log.warn({ provider: provider.id, connection: connection.id, wasSent, why: message }, 'no answer');
    return this.later(begun, { delayMs: undefined, alarm: null, isUnknown: wasSent });
  }

  /** The provider first: between the two nothing else is begun there. */
  private async later(
    begun: Begun,
    why: { readonly delayMs: number | undefined; readonly alarm: string | null; readonly isUnknown: boolean },
  ): Promise<Refreshed> {
    const { store, random, wallMs } = this.parts;
    const delayMs = why.delayMs ?? backOffMs(begun.provider.failures + 1, random());
    await store.pause(begun.provider.id, wallMs() + delayMs, why.alarm);
    await store.postpone(begun, delayMs, why.isUnknown);
    return 'postponed';
  }
}
