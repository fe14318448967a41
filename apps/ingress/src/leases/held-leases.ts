import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { LeasedCredential, LeaseRefusal, UpstreamCredential } from '@warder/contracts';
import {
  type Asking,
  fits,
  isNews,
  type LeaseAnswer,
  type LeaseRejection,
  type Slot,
  type Wanted,
} from './lease-slot.js';
import type { GivenUp, LeaseCame, LeaseChannel } from './lease-transport.js';
import { untilGivenUp } from './until-given-up.js';

/** Milliseconds that a lease may be good for; what says more is not believed. */
const LEASE_MAX_MS = 900_000;
/** Milliseconds that the clocks of credentials and of this node may differ. */
const CLOCK_SKEW_MAX_MS = 60_000;
/** How long credentials is not asked again for a lease that the upstream refuses and that is the newest. */
const REFUSED_AGAIN_MS = 60_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 15_000;
const NONE = { kind: 'none' } as const;

export interface HeldLeasesBounds {
  readonly heldMax: number;
  /** Milliseconds after its last use that a lease is kept, and renewed. */
  readonly idleMs: number;
  /** Milliseconds that a call waits for a lease. */
  readonly coldWaitMs: number;
}

/** The leases of one node: in memory, bounded, each asked for once at a time. All times are wall milliseconds. */
export class HeldLeases {
  private readonly slots = new Map<string, Slot>();
  /** By requests that may still be answered: of the one that runs, and of the lease that is held. */
  private readonly requests = new Map<string, Slot>();
  private gained: (upstream: string) => void = () => {};
  private ended: (upstream: string, credential: UpstreamCredential) => void = () => {};

  constructor(
    private readonly channel: LeaseChannel,
    private readonly bounds: HeldLeasesBounds,
    private readonly wallMs: () => number,
  ) {}

  get size(): number {
    return this.slots.size;
  }

  /** Leases that are wanted here and could not be had, for nothing answered. */
  get unanswered(): number {
    let count = 0;
    for (const { lease, refusal } of this.slots.values())
      if (lease === undefined && refusal === 'no-answer') count += 1;
    return count;
  }

  /** Told the upstream of a lease that came after one could not be had, or with another environment than before. */
  onGained(listener: (upstream: string) => void): void {
    this.gained = listener;
  }

  /** Told of a credential that was handed out and is held no more. */
  onEnded(listener: (upstream: string, credential: UpstreamCredential) => void): void {
    this.ended = listener;
  }

  /** From memory where there is one; else the answer to one request, or that none came in time. */
  of(wanted: Wanted, signal: GivenUp): LeaseAnswer | Promise<LeaseAnswer> {
    const nowMs = this.wallMs();
    const slot = this.slotOf(wanted, nowMs);
    slot.usedAtMs = nowMs;
    const { lease } = slot;
    if (lease !== undefined && lease.expiresAtMs > nowMs && fits(lease, wanted)) return lease;
    return untilGivenUp(this.ask(slot).settled, signal).then(() => this.answerOf(slot));
  }

  /**
   * The upstream refused a lease. The one that is held now, where it is another one; else what credentials has for the
   * one that was refused, which may be the same.
   */
  afterRefusal(wanted: Wanted, refused: UpstreamCredential, signal: GivenUp): LeaseAnswer | Promise<LeaseAnswer> {
    const slot = this.slots.get(wanted.key);
    const lease = slot?.lease;
    if (slot !== undefined && lease?.credential.kind === 'credential' && lease.credential.credential === refused) {
      // Credentials was asked a moment ago, and has no other.
      if (this.wallMs() < slot.keptUntilMs) return lease;
      slot.refusedGeneration = lease.generation;
      slot.lease = undefined;
      // What is asked already says nothing of the refusal.
      slot.asking?.settle();
    }
    return this.of(wanted, signal);
  }

  /** Asks ahead where there is no lease. */
  warm(wanted: Wanted): void {
    const nowMs = this.wallMs();
    const slot = this.slotOf(wanted, nowMs);
    slot.usedAtMs = nowMs;
    if (slot.lease === undefined && nowMs >= slot.retryAtMs) this.ask(slot);
  }

  /** The connection is another one now: what is older is worth nothing. */
  outdate(wanted: Wanted): void {
    const slot = this.slots.get(wanted.key);
    if (slot === undefined) return;
    slot.wanted = wanted;
    if (slot.lease === undefined || fits(slot.lease, wanted)) return;
    // The same secret may come again under another version; until then nobody knows.
    if (slot.lease.generation < wanted.generation) this.takeBack(slot);
    slot.lease = undefined;
  }

  /** The connection is no more: its leases are gone, and whoever waits for one is told. */
  drop(key: string): void {
    const slot = this.slots.get(key);
    if (slot === undefined) return;
    this.slots.delete(key);
    slot.lease = undefined;
    this.takeBack(slot);
    if (slot.subscription !== undefined) this.requests.delete(slot.subscription.requestId);
    slot.subscription = undefined;
    slot.asking?.settle();
  }

  /** Takes what came. @returns why not, for the log; what nobody asked for is never taken */
  take(came: LeaseCame): LeaseRejection | undefined {
    const slot = this.requests.get(came.requestId);
    if (slot === undefined) return 'unasked';
    const isAnswer = slot.asking?.requestId === came.requestId;
    if (came.connectionId !== slot.wanted.connectionId || came.principalId !== slot.wanted.principalId)
      return 'foreign';
    if (came.lease === null) {
      if (!isAnswer) return 'unasked';
      this.failed(slot, came.refusal ?? 'no-answer');
      return undefined;
    }
    const rejection = isAnswer || isNews(slot, came.lease.generation) ? this.rejectionOf(slot, came.lease) : 'unasked';
    if (rejection === undefined) this.put(slot, came.requestId, came.lease);
    return rejection;
  }

  /** Drops what is idle or has ended, renews what is in use, asks again for what could not be had. */
  sweep(): void {
    const nowMs = this.wallMs();
    for (const [key, slot] of this.slots) {
      if (slot.usedAtMs + this.bounds.idleMs <= nowMs) {
        this.drop(key);
        continue;
      }
      if (slot.lease !== undefined && slot.lease.expiresAtMs <= nowMs) slot.lease = undefined;
      if (slot.handedOutUntilMs <= nowMs) this.takeBack(slot);
      const isDue = slot.lease === undefined || nowMs >= slot.lease.renewAtMs;
      if (isDue && nowMs >= slot.retryAtMs) this.ask(slot);
    }
  }

  /** Drops what is meant. */
  dropWhere(isMeant: (wanted: Wanted) => boolean): void {
    for (const [key, { wanted }] of this.slots) if (isMeant(wanted)) this.drop(key);
  }

  /** Forgets everything. */
  clear(): void {
    for (const key of this.slots.keys()) this.drop(key);
  }

  private slotOf(wanted: Wanted, nowMs: number): Slot {
    const known = this.slots.get(wanted.key);
    if (known !== undefined) return known;
    if (this.slots.size >= this.bounds.heldMax) this.dropLeastUsed();
    const slot: Slot = {
      wanted,
      lease: undefined,
      handedOut: undefined,
      handedOutUntilMs: 0,
      asking: undefined,
      subscription: undefined,
      refusal: undefined,
      refusedGeneration: null,
      keptUntilMs: 0,
      usedAtMs: nowMs,
      failures: 0,
      retryAtMs: 0,
    };
    this.slots.set(wanted.key, slot);
    return slot;
  }

  /** One request at a time: whoever needs the lease meanwhile waits for the same answer, and for no longer. */
  private ask(slot: Slot): Asking {
    if (slot.asking !== undefined) return slot.asking;
    let resolve = (): void => {};
    const settled = new Promise<void>((done) => (resolve = done));
    const { connectionId, upstream, principalId } = slot.wanted;
    const requestId = randomUUID();
    const asking: Asking = {
      requestId,
      settled,
      settle: () => {
        clearTimeout(timer);
        if (slot.asking === asking) slot.asking = undefined;
        if (slot.subscription?.requestId !== requestId) this.requests.delete(requestId);
        resolve();
      },
    };
    const noAnswer = () => {
      if (slot.asking === asking) this.failed(slot, 'no-answer');
    };
    const timer = setTimeout(noAnswer, this.bounds.coldWaitMs).unref();
    slot.asking = asking;
    this.requests.set(requestId, slot);
    const { refusedGeneration } = slot;
    this.channel.ask({ requestId, connectionId, upstream, principalId, refusedGeneration }).catch(noAnswer);
    return asking;
  }

  private failed(slot: Slot, refusal: LeaseRefusal | 'no-answer'): void {
    slot.refusal = refusal;
    slot.retryAtMs = this.wallMs() + Math.min(RETRY_FIRST_MS * 2 ** slot.failures, RETRY_MAX_MS);
    slot.failures += 1;
    slot.asking?.settle();
  }

  private rejectionOf(slot: Slot, lease: NonNullable<LeaseCame['lease']>): LeaseRejection | undefined {
    const nowMs = this.wallMs();
    if (lease.upstream !== slot.wanted.upstream) return 'foreign';
    if (Math.abs(lease.issuedAtMs - nowMs) > CLOCK_SKEW_MAX_MS) return 'clock-skew';
    if (lease.expiresAtMs - lease.issuedAtMs > LEASE_MAX_MS) return 'too-long';
    if (lease.expiresAtMs <= nowMs) return 'ended';
    return fits(lease, slot.wanted) ? undefined : 'superseded';
  }

  private put(slot: Slot, requestId: string, lease: NonNullable<LeaseCame['lease']>): void {
    const { version, generation, issuedAtMs, expiresAtMs } = lease;
    const credential = this.handOut(slot, lease.credential);
    const lifeMs = expiresAtMs - issuedAtMs;
    const wasMissed = slot.failures > 0 && slot.lease === undefined;
    const isOtherEnvironment =
      credential.kind === 'environment' && generation !== (slot.subscription?.generation ?? generation);
    slot.lease = {
      ...(credential.kind === 'environment'
        ? { credential: NONE, environment: { kind: 'environment', environment: credential.values } }
        : { credential: { kind: 'credential', credential }, environment: NONE }),
      version,
      generation,
      expiresAtMs,
      renewAtMs: issuedAtMs + (lifeMs * 2) / 3,
    };
    if (slot.subscription !== undefined && slot.subscription.requestId !== requestId)
      this.requests.delete(slot.subscription.requestId);
    slot.subscription = { requestId, generation };
    slot.handedOutUntilMs = expiresAtMs;
    if (slot.refusedGeneration === generation) slot.keptUntilMs = this.wallMs() + REFUSED_AGAIN_MS;
    slot.refusal = undefined;
    slot.refusedGeneration = null;
    slot.failures = slot.retryAtMs = 0;
    slot.asking?.settle();
    if (wasMissed || isOtherEnvironment) this.gained(slot.wanted.upstream);
  }

  /** The object that calls know for the credential; one that it replaces has ended. */
  private handOut(slot: Slot, credential: LeasedCredential): LeasedCredential {
    if (slot.handedOut !== undefined && isDeepStrictEqual(credential, slot.handedOut)) return slot.handedOut;
    this.takeBack(slot);
    if (credential.kind !== 'environment') slot.handedOut = credential;
    return credential;
  }

  private takeBack(slot: Slot): void {
    const { handedOut } = slot;
    if (handedOut === undefined) return;
    slot.handedOut = undefined;
    this.ended(slot.wanted.upstream, handedOut);
  }

  private answerOf(slot: Slot): LeaseAnswer {
    const { lease, wanted, refusal } = slot;
    const isGood = lease !== undefined && lease.expiresAtMs > this.wallMs() && fits(lease, wanted);
    return isGood ? lease : { refusal: refusal ?? 'no-answer' };
  }

  private dropLeastUsed(): void {
    let least: [string, Slot] | undefined;
    for (const entry of this.slots) if (least === undefined || entry[1].usedAtMs < least[1].usedAtMs) least = entry;
    if (least !== undefined) this.drop(least[0]);
  }
}
