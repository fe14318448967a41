import type { KeyObject } from 'node:crypto';
import type { LeaseRequested } from '@warder/contracts';
import { isSignedBy, signatureOf, statement, textOfKey } from './identity.js';

/** Signs a request with the node's identity. */
export function leaseRequestOf(
  asked: Omit<LeaseRequested, 'identity' | 'signature'>,
  identity: KeyObject,
): LeaseRequested {
  const unsigned = { ...asked, identity: textOfKey(identity) };
  return { ...unsigned, signature: signatureOf(identity, requestedBytes(unsigned)) };
}

/** Whether the identity that the request names signed all of it; whose identity that is, it does not say. */
export function isLeaseRequestSigned(requested: LeaseRequested): boolean {
  return isSignedBy(requested.identity, requestedBytes(requested), requested.signature);
}

function requestedBytes(requested: Omit<LeaseRequested, 'signature'>): Buffer {
  const { node, identity, requestId, connectionId, upstream, principalId, sealing, refusedGeneration, atMs } =
    requested;
  return statement('lease.requested', [
    node,
    identity,
    requestId,
    connectionId,
    upstream,
    principalId,
    sealing.id,
    sealing.key,
    refusedGeneration,
    atMs,
  ]);
}
