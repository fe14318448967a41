import type { LeasedCredential, LeaseRefusal, LeaseRequested } from '@warder/contracts';

/** What of a request a source needs; that the node may ask was looked at. */
export type LeaseAsked = Pick<LeaseRequested, 'connectionId' | 'upstream' | 'principalId' | 'refusedGeneration'>;

/** What a connection's calls need now. */
export interface Leased {
  readonly credential: LeasedCredential;
  /** Of the connection's state. */
  readonly version: number;
  /** Grows with every change of the secret; of the state too, where nothing else changes it. */
  readonly generation: number;
  /** Wall milliseconds at which the credential itself ends; null of one that does not. */
  readonly expiresAtMs: number | null;
}

/**
 * Where leases of one kind of connection come from. A source that changes a credential tells the desk (`changed`), once
 * the new one is stored.
 */
export interface LeaseSource {
  /** Whether the connection is of the source's kind, by its id alone. */
  owns(connectionId: string): boolean;
  /**
   * @param asked - for which of the connection's upstreams; `principalId` is empty where the connection is shared
   * @returns the lease, or why there is none; it throws nothing that holds a secret
   */
  leaseOf(asked: LeaseAsked): Promise<Leased | LeaseRefusal>;
}
