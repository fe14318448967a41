import { setImmediate, setTimeout as after } from 'node:timers/promises';
import type { Revoked } from '@warder/tokens';
import type { AdmittedOperation } from '../pipeline/call.js';
import type { ChangeStream, Subscription, SubscriptionEnd, Subscriptions } from '../pipeline/gateway.js';
import { asOutcome } from '../pipeline/outcome.js';
import { Refusal } from '../pipeline/refusal.js';
import { revoked, RunningOperation, RunningOperations } from './running-operations.js';

export interface SubscriptionParts {
  readonly limits: {
    readonly subscriptionsMax: number;
    readonly subscriptionsPerPrincipalMax: number;
    readonly changesEveryMs: number;
  };
  readonly clock: { wallMs(): number; monotonicMs(): number };
  /** Whether identity has been silent for so long that nobody may be let in. */
  readonly isStale: (nowMs: number) => boolean;
  /** Told about what should not happen. */
  readonly onBug: (error: unknown) => void;
}

/** Milliseconds between two looks for what is over by the clock. */
const TICK_MS = 500;
/** Milliseconds after which the record of an end that was not taken is tried again. */
const RECORD_AGAIN_MS = 1_000;
/** Milliseconds of looking after which whatever else waits has its turn. */
const SLICE_MS = 5;
/** Principals whose change is remembered until the next look; past it everybody is looked at. */
const SEEN_MAX = 10_000;
/** Of the caller, who is told so as with a call that is cut off. */
const OF_CALLER: ReadonlySet<string> = new Set(['WDR_TOKEN_UNKNOWN', 'WDR_VIRTUAL_SERVER_UNKNOWN']);

/** The streams of changes that stand open on this node: bounded, looked at when something changed, and ended. */
export class OpenSubscriptions implements Subscriptions {
  private readonly open = new Set<OpenSubscription>();
  private readonly running = new RunningOperations(Infinity);
  private readonly seenPrincipals = new Set<string>();
  private readonly ticker: NodeJS.Timeout;
  private timer: NodeJS.Timeout | undefined;
  private isEverybodySeen = false;
  private isLooking = false;
  private isDraining = false;

  constructor(private readonly parts: SubscriptionParts) {
    this.ticker = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** Streams that stand open, and those whose end is not on record yet. */
  get size(): number {
    return this.open.size;
  }

  enter(call: AdmittedOperation, stream: ChangeStream, listed: () => string | undefined): Subscription {
    const { subscriptionsMax, subscriptionsPerPrincipalMax } = this.parts.limits;
    const { id } = call.principal;
    // A client that lost its stream may come back before we know that it did.
    if (call.sessionId !== undefined) this.endOf(call.sessionId, 'replaced');
    if (this.isDraining || this.open.size >= subscriptionsMax) {
      const detail = this.isDraining ? 'the node is shutting down' : 'limits.subscriptionsMax';
      throw new Refusal('WDR_OVERLOADED', 'The gateway is busy, try again in a moment', detail, {
        retryAfterMs: 1_000,
      });
    }
    const own = [...this.open].filter((each) => each.principalId === id && !each.isOver).length;
    if (own >= subscriptionsPerPrincipalMax) {
      const detail = 'limits.subscriptionsPerPrincipalMax';
      throw new Refusal('WDR_SUBSCRIPTION_LIMIT', 'Too many open streams', detail, { retryAfterMs: 60_000 });
    }
    const onLeft = (left: OpenSubscription) => {
      this.running.remove(left.running);
      this.open.delete(left);
    };
    const subscription = new OpenSubscription(call, stream, listed, { onBug: this.parts.onBug, onLeft });
    this.open.add(subscription);
    this.running.add(subscription.running);
    return subscription;
  }

  /** Ends whatever a token or a principal that is no longer accepted has open. */
  revoke(what: Revoked): void {
    this.running.revoke(what);
  }

  /** Ends the streams of a legacy session. */
  endOf(sessionToken: string, why: 'session ended' | 'replaced'): void {
    for (const each of this.open) if (each.sessionToken === sessionToken) each.end({ why });
  }

  /** Looks, soon and once, at the streams of a principal, or at all: what they may see may be something else. */
  seen(principalId?: string): void {
    if (this.open.size === 0) return;
    if (principalId === undefined || this.seenPrincipals.size >= SEEN_MAX) this.isEverybodySeen = true;
    else this.seenPrincipals.add(principalId);
    this.schedule();
  }

  /** Ends all of them, and takes no more. */
  drain(): void {
    this.isDraining = true;
    for (const each of this.open) each.end({ why: 'draining' });
  }

  close(): void {
    this.drain();
    clearInterval(this.ticker);
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.isLooking) return;
    this.timer ??= setTimeout(() => void this.look(), this.parts.limits.changesEveryMs).unref();
  }

  private async look(): Promise<void> {
    const { clock } = this.parts;
    const principals = this.isEverybodySeen ? undefined : new Set(this.seenPrincipals);
    this.isEverybodySeen = false;
    this.seenPrincipals.clear();
    this.timer = undefined;
    this.isLooking = true;
    let sliceEndsAtMs = clock.monotonicMs() + SLICE_MS;
    for (const each of this.open) {
      if (principals?.has(each.principalId) === false) continue;
      each.look();
      if (clock.monotonicMs() < sliceEndsAtMs) continue;
      await setImmediate();
      sliceEndsAtMs = clock.monotonicMs() + SLICE_MS;
    }
    this.isLooking = false;
    if (this.isEverybodySeen || this.seenPrincipals.size > 0) this.schedule();
  }

  private tick(): void {
    if (this.open.size === 0) return;
    const nowMs = this.parts.clock.wallMs();
    const isStale = this.parts.isStale(nowMs);
    for (const each of this.open) each.tick(nowMs, isStale);
  }
}

/** One of them. */
class OpenSubscription implements Subscription {
  readonly running = new RunningOperation();
  readonly principalId: string;
  readonly sessionToken: string | undefined;
  isOver = false;
  private readonly expiresAtMs: number;
  /** Digest of the list that the client knows. */
  private known: string;
  private isFollowed = false;
  private notifications = 0;
  private resolve: (end: SubscriptionEnd) => void = () => undefined;
  private readonly ended = new Promise<SubscriptionEnd>((resolve) => (this.resolve = resolve));

  constructor(
    { principal, token, sessionId, signal, ...call }: AdmittedOperation,
    private readonly stream: ChangeStream,
    private readonly listed: () => string | undefined,
    private readonly told: {
      onBug(error: unknown): void;
      onLeft(left: OpenSubscription): void;
    },
  ) {
    const listedNow = listed() ?? '';
    this.known = stream.knownDigest ?? listedNow;
    this.principalId = principal.id;
    this.sessionToken = sessionId;
    this.expiresAtMs = token.expiresAtMs;
    this.running.call = { ...call, principal, token, sessionId, signal };
    const { signal: cut } = this.running;
    cut.addEventListener('abort', () => this.end({ why: 'cut', refusal: cut.reason as Refusal }));
    signal.addEventListener('abort', () => {
      const refusal = signal.reason as Refusal;
      this.end(refusal.code === 'WDR_CALL_CANCELLED' ? { why: 'client closed' } : { why: 'cut', refusal });
    });
  }

  follow(): Promise<SubscriptionEnd> {
    if (!this.isOver) {
      this.isFollowed = true;
      this.stream.open(this.known);
      // What changed while the record was written, or since the client was here last.
      this.look();
    }
    return this.ended;
  }

  async leave(record?: () => Promise<void>): Promise<void> {
    this.end({ why: 'client closed' });
    for (let isRecorded = record === undefined; !isRecorded;) {
      try {
        await record?.();
        isRecorded = true;
      } catch {
        // A full journal. The stream is over; its place stays taken until its end is on record.
        await after(RECORD_AGAIN_MS, undefined, { ref: false });
      }
    }
    this.told.onLeft(this);
  }

  /** Tells of another list, and ends what its caller may have open no more. */
  look(): void {
    if (this.isOver || !this.isFollowed) return;
    try {
      const digest = this.listed();
      if (digest === undefined || digest === this.known) return;
      this.known = digest;
      if (this.stream.changed(digest)) this.notifications += 1;
    } catch (error) {
      const outcome = asOutcome(error);
      if (outcome.kind === 'failed') this.told.onBug(error);
      if (outcome.kind === 'answered') return;
      const { refusal } = outcome;
      const isOfCaller = OF_CALLER.has(refusal.code);
      this.end({ why: 'cut', refusal: isOfCaller ? revoked(refusal.internalDetail) : refusal });
    }
  }

  tick(nowMs: number, isStale: boolean): void {
    if (nowMs >= this.stream.endsAtMs) this.end({ why: 'session ended' });
    else if (isStale || nowMs >= this.expiresAtMs) this.look();
  }

  end(how: Omit<SubscriptionEnd, 'notifications'>): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.isFollowed) this.stream.end(how.refusal);
    this.resolve({ ...how, notifications: this.notifications });
  }
}
