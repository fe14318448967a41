import type { KeyObject } from 'node:crypto';
import type { Bus, Subscription } from '@warder/bus';
import { type LeasedCredential, type LeaseGranted, leaseGrantedTopic, leaseRequestedTopic } from '@warder/contracts';
import { isGrantSigned, leaseRequestOf, openLease } from '@warder/leases';
import type { LeaseAsked, LeaseCame, LeaseChannel } from './lease-transport.js';
import type { SealingKeys } from './sealing-keys.js';

export interface SealedLeaseChannelParts {
  readonly bus: Pick<Bus, 'publish' | 'watch'>;
  readonly node: string;
  /** The node's identity, once it has one that credentials knows. */
  readonly identity: () => KeyObject | undefined;
  /** By which credentials is known; without it nothing that comes is believed. */
  readonly credentialsKeys: () => readonly KeyObject[];
  readonly keys: SealingKeys;
  /** Told of what was not believed. */
  readonly refused: (reason: 'signature-wrong' | 'key-unknown' | 'unopened') => void;
  readonly wallMs: () => number;
}

/** Leases over the bus: requests signed by the node, answers sealed to a key of this process and signed by credentials. */
export class SealedLeaseChannel implements LeaseChannel {
  private listener: (came: LeaseCame) => void = () => {};
  private subscription: Subscription | undefined;

  constructor(private readonly parts: SealedLeaseChannelParts) {}

  /** Begins to listen; resolves when the bus does, or is given up on for now. */
  async start(): Promise<void> {
    this.subscription = await this.parts.bus.watch(leaseGrantedTopic, 'end', ({ value }) => this.receive(value));
  }

  async stop(): Promise<void> {
    await this.subscription?.stop();
  }

  onCame(listener: (came: LeaseCame) => void): void {
    this.listener = listener;
  }

  /** @throws Error while the node is not enrolled */
  async ask(asked: LeaseAsked): Promise<void> {
    const { bus, node, keys, wallMs } = this.parts;
    const identity = this.parts.identity();
    if (identity === undefined) throw new Error('this node is not enrolled');
    const request = leaseRequestOf({ ...asked, node, sealing: keys.toName(), atMs: wallMs() }, identity);
    await bus.publish(leaseRequestedTopic, asked.connectionId, request);
  }

  private receive(granted: LeaseGranted): void {
    const { node, keys, refused } = this.parts;
    // Every node reads all answers; those of others it could not open anyway.
    if (granted.node !== node) return;
    const isSigned = this.parts.credentialsKeys().some((key) => isGrantSigned(granted, key));
    if (!isSigned) return refused('signature-wrong');
    const { requestId, connectionId, principalId, refusal, lease } = granted;
    const about = { requestId, connectionId, principalId, refusal };
    if (lease === null) return this.listener({ ...about, lease });
    const key = keys.find(lease.keyId);
    if (key === undefined) return refused('key-unknown');
    const { upstream, version, generation, issuedAtMs, expiresAtMs } = lease;
    const terms = { upstream, version, generation, issuedAtMs, expiresAtMs };
    let credential: LeasedCredential;
    try {
      credential = openLease(granted, key);
    } catch {
      // What went wrong would say how to do better.
      return refused('unopened');
    }
    this.listener({ ...about, lease: { ...terms, credential } });
  }
}
