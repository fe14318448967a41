import { generationOf, isClientGrant, type Revoked } from '@warder/tokens';
import type { Call, IdentifiedOperation } from '../pipeline/call.js';
import { CallSwitch } from '../pipeline/call-signal.js';
import { Refusal } from '../pipeline/refusal.js';
import { Chain, type Linked } from './chain.js';

/** An operation that runs, and how to end it. */
export class RunningOperation implements Linked {
  before: Linked | undefined;
  after: Linked | undefined;
  readonly signal = new CallSwitch();
  /** The call once it is parsed; its principal and token stand on it once they are known. */
  call: Call | undefined;
  /** Session id and JSON-RPC id of a legacy call, by which a client cancels it. */
  cancelKey: string | undefined;

  /** Fires the call's signal with the reason; the first reason stays. */
  giveUp(reason: Refusal): void {
    this.signal.abort(reason);
  }
}

/**
 * What runs on this node. A revocation walks over all of it: that costs microseconds per thousand, seldom, where an
 * index by principal and token would cost every call.
 */
export class RunningOperations {
  private readonly running = new Chain<RunningOperation>();

  /** @param runningMax - operations at a time */
  constructor(private readonly runningMax: number) {}

  get size(): number {
    return this.running.size;
  }

  isFull(): boolean {
    return this.running.size >= this.runningMax;
  }

  add(operation: RunningOperation): void {
    this.running.add(operation);
  }

  remove(operation: RunningOperation): void {
    this.running.remove(operation);
  }

  /**
   * Ends what runs under a connection that was: the upstream has its credential, and may go on acting with it.
   * @param upstreams - whose calls carry it
   * @param principalId - whose account it was; null: everybody's
   */
  revokeConnection(upstreams: readonly string[], principalId: string | null): void {
    for (const operation of this.running) {
      const { call } = operation;
      const upstream = call?.target?.upstream;
      if (upstream === undefined || call?.upstreamCredential === undefined || !upstreams.includes(upstream)) continue;
      if (principalId === null || call.principal?.id === principalId) operation.giveUp(credentialRevoked(upstream));
    }
  }

  /** Ends whatever a token or a principal that is no longer accepted has running, streams included. */
  revoke(what: Revoked): void {
    for (const operation of this.running) {
      if (!isOf(operation.call, what)) continue;
      const detail = 'tokenId' in what ? `token ${what.tokenId} stopped` : `principal ${what.principalId} stopped`;
      operation.giveUp(revoked(detail));
    }
  }

  /**
   * Ends the running call that `matches`, if it is that principal's.
   * @returns whether there was one
   */
  cancel(principalId: string, matches: (cancelKey: string) => boolean): boolean {
    for (const operation of this.running) {
      if (operation.cancelKey === undefined || operation.call?.principal?.id !== principalId) continue;
      if (!matches(operation.cancelKey)) continue;
      operation.giveUp(cancelled('the client cancelled it'));
      return true;
    }
    return false;
  }

  /** Ends everything, as the process does when it drains past its patience. */
  giveUpAll(detail: string): void {
    for (const operation of this.running) operation.giveUp(cancelled(detail));
  }
}

function isOf(call: Partial<IdentifiedOperation> | undefined, what: Revoked): boolean {
  const { token, principal } = call ?? {};
  if ('tokenId' in what) {
    if (token?.id !== what.tokenId)
      return token !== undefined && isClientGrant(token) && token.endsWith.includes(what.tokenId);
    // What runs under the new secret of a rotated token goes on when the old one ends.
    return what.generation === undefined || isClientGrant(token) || generationOf(token) === what.generation;
  }
  const isActor = token !== undefined && isClientGrant(token) && token.actors.some(({ id }) => id === what.principalId);
  if (principal?.id !== what.principalId && !isActor) return false;
  const { signedInBeforeMs } = what;
  if (signedInBeforeMs === undefined) return true;
  return token !== undefined && isClientGrant(token) && token.createdAtMs <= signedInBeforeMs;
}

/** The refusal of a call whose credential stopped being accepted while it ran. */
export function revoked(detail: string): Refusal {
  return new Refusal('WDR_CALL_REVOKED', 'The access token is not accepted', detail, { isActUnknown: true });
}

function credentialRevoked(upstream: string): Refusal {
  const message = `The gateway has no working credential for "${upstream}"`;
  const detail = 'the credential was revoked while the call ran';
  return new Refusal('WDR_CREDENTIAL_MISSING', message, detail, { isActUnknown: true });
}

/** The refusal of a call that its client gave up. */
export function cancelled(detail: string): Refusal {
  return new Refusal('WDR_CALL_CANCELLED', 'The call was cancelled', detail, { isActUnknown: true });
}
