import type { LeaseRefusal, UpstreamCredential } from '@warder/contracts';
import type { CredentialLease, EnvironmentLease } from './lease-transport.js';

/** What a call needs: a lease of a connection for an upstream, and no older than what the state says of it. */
export interface Wanted {
  readonly key: string;
  readonly connectionId: string;
  readonly upstream: string;
  readonly principalId: string;
  readonly version: number;
  readonly generation: number;
}

/** A lease in memory, in the form in which it is handed out. */
export interface Held {
  readonly credential: CredentialLease;
  readonly environment: EnvironmentLease;
}

/** A lease, or why there is none: what credentials said, or that nothing came. */
export type LeaseAnswer = Held | { readonly refusal: LeaseRefusal | 'no-answer' };

/** A lease with its terms; wall milliseconds. */
export interface Lease extends Held {
  readonly version: number;
  readonly generation: number;
  readonly expiresAtMs: number;
  readonly renewAtMs: number;
}

/** A request that is under way. */
export interface Asking {
  readonly requestId: string;
  readonly settled: Promise<void>;
  readonly settle: () => void;
}

/** All that a node knows of one lease that its calls need. */
export interface Slot {
  wanted: Wanted;
  lease: Lease | undefined;
  /** What was handed out last: it is told of when it is good no more. */
  handedOut: UpstreamCredential | undefined;
  /** When that is, unless its lease is renewed. */
  handedOutUntilMs: number;
  asking: Asking | undefined;
  /** By which request newer leases may come unasked, and of which generation the last one was. */
  subscription: { readonly requestId: string; readonly generation: number } | undefined;
  refusal: LeaseRefusal | 'no-answer' | undefined;
  /** Of the lease that the upstream refused, until another one comes. */
  refusedGeneration: number | null;
  /** Until then a lease that the upstream refuses is kept. */
  keptUntilMs: number;
  usedAtMs: number;
  failures: number;
  retryAtMs: number;
}

/** Why a lease that came is not taken. */
export type LeaseRejection = 'unasked' | 'foreign' | 'clock-skew' | 'too-long' | 'ended' | 'superseded';

/** Whether a lease is no older than what is wanted. */
export function fits(lease: { readonly version: number; readonly generation: number }, wanted: Wanted): boolean {
  return lease.version >= wanted.version && lease.generation >= wanted.generation;
}

/** Whether a lease that nobody asked for is newer than the last one. */
export function isNews({ subscription }: Slot, generation: number): boolean {
  return subscription !== undefined && generation > subscription.generation;
}
