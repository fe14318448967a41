import type { TokenScopes } from '@warder/contracts';

/** Whether a token is cut to some of what agents may call: it was made for one, and has no roles at the admin doors. */
export function isForAgents({ scopes }: { readonly scopes: TokenScopes }): boolean {
  return scopes.tools !== null || (scopes.virtualServers ?? null) !== null || scopes.readOnly === true;
}
