import type { TokenScopes } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { AddressScope } from '@warder/tokens';

/**
 * A token that is bound to addresses hands on no more than it has: what it issues for its own owner is bound to them as
 * well, or whoever stole it and reached an admin door from there once would be free of them.
 * @returns the scopes, bound where they named no addresses
 * @throws AdminError 403 WDR_TOKEN_SCOPE
 */
export function boundAsItsIssuer(scopes: TokenScopes, ownerId: string, { principal, token }: AdminActor): TokenScopes {
  const bound = token?.scopes.addresses ?? null;
  if (bound === null || principal?.id !== ownerId) return scopes;
  const asked = scopes.addresses ?? null;
  if (asked === null) return { ...scopes, addresses: bound };
  if (new AddressScope(bound).covers(new AddressScope(asked))) return scopes;
  throw moreThanItHas();
}

/**
 * The same of a token that is there already.
 * @throws AdminError 403 WDR_TOKEN_SCOPE
 */
export function ensureBoundAsItsIssuer(scopes: TokenScopes, ownerId: string, by: AdminActor): void {
  if (boundAsItsIssuer(scopes, ownerId, by) !== scopes) throw moreThanItHas();
}

function moreThanItHas(): AdminError {
  return new AdminError(403, 'WDR_TOKEN_SCOPE', 'the addresses are more than those of the token that asks');
}
