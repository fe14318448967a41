import type { KeyObject } from 'node:crypto';
import type { LeaseGranted, LeaseRefusal, LeaseRequested } from '@warder/contracts';
import { grantLease, isLeaseRequestSigned, refuseLease } from '@warder/leases';
import { CLOCK_SKEW_MAX_MS } from '../nodes/node-desk.js';
import type { NodeRegistry } from '../nodes/node-registry.js';
import type { Leased, LeaseSource } from './lease-source.js';
import { LeaseHolders } from './lease-holders.js';
import { SeenRequests } from './seen-requests.js';

/** Requests of one node that are worked on; more are dropped, for a node repeats what was not answered. */
const WORKED_ON_MAX = 1_000;

export interface LeaseDeskParts {
  readonly sources: readonly LeaseSource[];
  readonly registry: NodeRegistry;
  /** Whether nodes and connections were read; until then nobody is told that there is none. */
  readonly isReady: () => boolean;
  /** Ed25519, private, of this service. */
  readonly signer: KeyObject;
  readonly publish: (granted: LeaseGranted) => Promise<void>;
  /** Puts a refusal on record. */
  readonly refused: (node: string, reason: string) => void;
  readonly leaseMs: number;
  readonly wallMs: () => number;
}

/** Answers nodes that ask for leases, and sends newer ones to those that hold one. */
export class LeaseDesk {
  private readonly seen = new SeenRequests(2 * CLOCK_SKEW_MAX_MS);
  private readonly holders = new LeaseHolders();
  /** By node, so that one which floods takes nothing from the others while the secret store is slow. */
  private readonly workedOn = new Map<string, number>();

  constructor(private readonly parts: LeaseDeskParts) {}

  /** Answers one request. What nobody signed is put on record and not answered. */
  async take(request: LeaseRequested): Promise<void> {
    const { registry, refused, isReady, wallMs } = this.parts;
    const { node, identity, requestId, atMs } = request;
    const nowMs = wallMs();
    if (!isLeaseRequestSigned(request)) return refused(node, 'signature-wrong');
    if (!isReady()) return this.refuse(request, 'starting');
    const refusal = registry.refusalOf(node, identity, nowMs);
    if (refusal !== undefined) {
      refused(node, refusal);
      return this.refuse(request, refusal);
    }
    if (Math.abs(nowMs - atMs) > CLOCK_SKEW_MAX_MS) {
      refused(node, 'clock-skew');
      return this.refuse(request, 'clock-skew');
    }
    const workedOn = this.workedOn.get(node) ?? 0;
    if (workedOn >= WORKED_ON_MAX) return refused(node, 'too-many-requests');
    const known = this.seen.take(node, requestId, nowMs);
    if (known !== 'new') return refused(node, known === 'seen' ? 'request-replayed' : 'too-many-requests');
    this.workedOn.set(node, workedOn + 1);
    try {
      await this.answer(request);
    } finally {
      const left = this.workedOn.get(node)! - 1;
      if (left === 0) this.workedOn.delete(node);
      else this.workedOn.set(node, left);
    }
  }

  /** The credential of the connection is another one now: whoever holds a lease of it is sent the new one. */
  async changed(connectionId: string): Promise<void> {
    const nowMs = this.parts.wallMs();
    for (const request of this.holders.of(connectionId, nowMs)) {
      if (this.parts.registry.refusalOf(request.node, request.identity, nowMs) !== undefined) continue;
      const leased = await this.leaseOf(request);
      if (typeof leased === 'object') await this.grant(request, leased);
    }
  }

  private async answer(request: LeaseRequested): Promise<void> {
    const leased = await this.leaseOf(request);
    if (typeof leased === 'string') await this.refuse(request, leased);
    else await this.grant(request, leased);
  }

  private async leaseOf(request: LeaseRequested): Promise<Leased | LeaseRefusal> {
    const source = this.parts.sources.find((each) => each.owns(request.connectionId));
    if (source === undefined) return 'connection-unknown';
    const leased = await source.leaseOf(request);
    if (typeof leased === 'string') return leased;
    const hasEnded = leased.expiresAtMs !== null && leased.expiresAtMs <= this.parts.wallMs();
    return hasEnded ? 'store-unavailable' : leased;
  }

  private async grant(request: LeaseRequested, leased: Leased): Promise<void> {
    const issuedAtMs = this.parts.wallMs();
    // A node may have been revoked while its lease was had, which takes seconds where a token is refreshed first.
    const refusal = this.parts.registry.refusalOf(request.node, request.identity, issuedAtMs);
    if (refusal !== undefined) return this.refuse(request, refusal);
    const expiresAtMs = Math.min(leased.expiresAtMs ?? Infinity, issuedAtMs + this.parts.leaseMs);
    const { version, generation, credential } = leased;
    const terms = { version, generation, issuedAtMs, expiresAtMs };
    this.holders.add(request, expiresAtMs);
    await this.parts.publish(grantLease(request, { ...terms, credential }, this.parts.signer, issuedAtMs));
  }

  private refuse(request: LeaseRequested, refusal: LeaseRefusal): Promise<void> {
    return this.parts.publish(refuseLease(request, refusal, this.parts.signer, this.parts.wallMs()));
  }
}
