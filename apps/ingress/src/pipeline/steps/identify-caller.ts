import type { IdentifiedOperation, Operation } from '../call.js';
import type { Tokens } from '../gateway.js';
import { Refusal } from '../refusal.js';

/**
 * Looks the token up in the replica, or verifies whose it is; a revoked, expired, foreign or unknown one, or one that is
 * used from an address outside its scope, is refused alike.
 * @param nowMs - wall milliseconds
 * @throws Refusal WDR_TOKEN_UNKNOWN; WDR_IDENTITY_STALE when a revocation may have been missed for too long
 */
export function identifyCaller(
  call: Operation,
  tokens: Tokens,
  nowMs: number,
): Pick<IdentifiedOperation, 'principal' | 'token'> {
  if (tokens.isStale(nowMs)) {
    const detail = 'identity has been silent for longer than watchdog.failClosedAfterMs';
    throw new Refusal('WDR_IDENTITY_STALE', 'The gateway cannot tell who is still allowed in, try again later', detail);
  }
  const found = tokens.examine(call.bearerToken, call.virtualServer, nowMs, call.address);
  if (typeof found === 'string') throw notAccepted(found, call.bearerToken, tokens);
  return { principal: found.principal, token: found.token };
}

/** The one answer to every token that is not accepted; the record says why, and whose token came from elsewhere. */
export function notAccepted(why: string, bearerToken: string, tokens: Tokens): Refusal {
  // A token that is good, in other hands than it was made for, is what its owner has to hear of.
  const holder = why === 'address-outside' ? tokens.holderOf(bearerToken) : undefined;
  return new Refusal(
    'WDR_TOKEN_UNKNOWN',
    'The access token is not accepted',
    why,
    holder === undefined ? {} : { holder },
  );
}
