import type { LeasedCredential, LeaseRefusal, SealedLease, UpstreamCredential } from '@warder/contracts';

/** There is no credential to call with: revoked, so the call is refused with WDR_CREDENTIAL_MISSING. */
export interface MissingLease {
  readonly kind: 'missing';
  readonly detail: string;
  /** Where the caller can help: an account of theirs is connected there. */
  readonly connectAt?: string;
}

/** There is one, and it did not come here in time: the call is refused with WDR_LEASE_UNAVAILABLE. */
export interface UnavailableLease {
  readonly kind: 'unavailable';
  readonly detail: string;
}

/**
 * What `attachCredential` is answered: the same object for as long as the credential is the same, however often its lease is
 * renewed. `none`: the upstream never had a credential and is called without one.
 */
export type CredentialLease =
  | { readonly kind: 'credential'; readonly credential: UpstreamCredential }
  | { readonly kind: 'none' }
  | MissingLease
  | UnavailableLease;

/** The same for the environment of a stdio child. */
export type EnvironmentLease =
  | { readonly kind: 'environment'; readonly environment: Readonly<Record<string, string>> }
  | { readonly kind: 'none' }
  | MissingLease
  | UnavailableLease;

/** What fires when a call is given up. */
export interface GivenUp {
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The port that the pipeline asks. */
export interface LeaseTransport {
  /** From memory; waits, until the signal fires, only while the connection has no lease here, and once. */
  credentialFor(upstream: string, principalId: string, signal: GivenUp): CredentialLease | Promise<CredentialLease>;
  environmentFor(upstream: string, signal: GivenUp): EnvironmentLease | Promise<EnvironmentLease>;
  /**
   * The upstream refused (401) this credential: another lease, where there is a newer one or one can be had; waits as
   * `credentialFor` does. Undefined where there is none but the one that was refused.
   */
  afterRefusal(
    upstream: string,
    principalId: string,
    refused: UpstreamCredential,
    signal: GivenUp,
  ): Promise<UpstreamCredential | undefined>;
  /** Has the lease fetched, if there is one to have, before a call needs it. */
  prefetch(upstream: string, principalId: string): void;
  /** Told the upstream whose credential changed or came at last: a stdio child was made without it. */
  onChanged(listener: (upstream: string) => void): void;
  /** Told of a credential that this node holds no more: it was revoked, replaced, not renewed, or nobody has used it. */
  onEnded(listener: (upstream: string, credential: UpstreamCredential) => void): void;
}

/** A request for one lease, as a channel carries it. */
export interface LeaseAsked {
  readonly requestId: string;
  readonly connectionId: string;
  readonly upstream: string;
  /** Empty for a connection that is shared. */
  readonly principalId: string;
  /** Generation of the lease that the upstream refused; null where none was. */
  readonly refusedGeneration: number | null;
}

/** An answer that is authentic, opened. */
export interface LeaseCame extends Omit<LeaseAsked, 'upstream' | 'refusedGeneration'> {
  readonly lease:
    (Omit<SealedLease, 'sealed' | 'ephemeralKey' | 'keyId'> & { readonly credential: LeasedCredential }) | null;
  readonly refusal: LeaseRefusal | null;
}

/** How leases travel: today sealed over the bus. */
export interface LeaseChannel {
  /** Resolves when the request is on its way; the answer comes to the listener, or does not come. */
  ask(asked: LeaseAsked): Promise<void>;
  onCame(listener: (came: LeaseCame) => void): void;
}
