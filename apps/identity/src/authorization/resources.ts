import { ADMIN_PATH, ADMIN_SCOPE, OAUTH_SCOPE } from '@warder/contracts';

/** What an access token can be for: one virtual server, or the admin doors. */
export type Resource = { readonly kind: 'server'; readonly name: string } | { readonly kind: 'admin' };

/** The admin doors. */
export const ADMIN: Resource = { kind: 'admin' };

/** What a resource indicator names (RFC 8707 section 2), be there such a server or not; undefined where it is none of ours. */
export function resourceAt(origin: string, url: string): Resource | undefined {
  if (url === `${origin}${ADMIN_PATH}`) return ADMIN;
  const servers = `${origin}/mcp/`;
  return url.startsWith(servers) ? { kind: 'server', name: url.slice(servers.length) } : undefined;
}

/** Its resource indicator. */
export function urlOf(origin: string, resource: Resource): string {
  return resource.kind === 'admin' ? `${origin}${ADMIN_PATH}` : `${origin}/mcp/${resource.name}`;
}

/** The one scope of tokens for it. */
export function scopeOf({ kind }: Resource): string {
  return kind === 'admin' ? ADMIN_SCOPE : OAUTH_SCOPE;
}
