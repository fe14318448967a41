import type { ActClaim } from '@warder/tokens';
import type { Principal } from '../principal.entity.js';

/** Whom a token that was presented is of, and with what its own end comes. */
export interface Presented {
  readonly principal: Principal;
  /** Service accounts of ours that act in it already. */
  readonly actors: readonly Principal[];
  readonly expiresAtMs: number;
  /** Ids of grants with which it ends. */
  readonly endsWith: readonly string[];
  /** Who acts in it already. */
  readonly act: ActClaim | undefined;
  /** The one virtual server that it is for; undefined where it is for none of ours. */
  readonly audience: string | undefined;
}

/** Why a presented token is not taken: for the record and the operator, never for the one who presented it. */
export class NotTaken extends Error {}

/** @throws NotTaken unless the principal may act now, and was not signed out after the token was made */
export function ensureStanding(principal: Principal | undefined, issuedAtMs: number): Principal {
  if (principal === undefined) throw new NotTaken('nobody is known by it');
  if (principal.status !== 'active') throw new NotTaken(`${principal.id} is ${principal.status}`);
  if (issuedAtMs <= Number(principal.signedOutAtMs ?? -1)) throw new NotTaken(`${principal.id} was signed out since`);
  return principal;
}
