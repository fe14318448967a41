import { z } from 'zod';
import { DiscoveryRefused } from './discovery-refused.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const SERVERS_MAX = 8;

const Document = z.object({
  resource: z.string().max(2_000),
  authorization_servers: z.array(z.string().max(2_000)).min(1).max(SERVERS_MAX),
  scopes_supported: z.array(z.string().max(200)).max(200).optional(),
});

/** What a protected resource says of itself (RFC 9728), as far as we act on it. */
export interface ResourceMetadata {
  /** What is sent as `resource` (RFC 8707), as the upstream writes it. */
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  readonly scopes: readonly string[];
}

/** Where an upstream's metadata may stand, in the order in which they are asked for. A challenge names the only place. */
export function resourceMetadataUrls(upstream: URL, challenged?: string): URL[] {
  if (challenged !== undefined) {
    if (!URL.canParse(challenged)) throw new DiscoveryRefused('the challenge names no URL');
    return [new URL(challenged)];
  }
  const path = upstream.pathname.replace(/\/$/, '');
  const root = new URL(WELL_KNOWN, upstream.origin);
  return path === '' ? [root] : [new URL(`${WELL_KNOWN}${path}`, upstream.origin), root];
}

/**
 * Metadata of an upstream. They must be of this upstream: of its origin, and of its path or one that holds it. Otherwise a
 * server could have us ask for tokens of another's (RFC 9728 section 7.3).
 * @throws DiscoveryRefused for metadata of another resource, or none
 */
export function readResourceMetadata(upstream: URL, document: unknown): ResourceMetadata {
  const parsed = Document.safeParse(document);
  if (!parsed.success) throw new DiscoveryRefused('these are no metadata of a protected resource');
  const { resource, authorization_servers: authorizationServers, scopes_supported: scopes = [] } = parsed.data;
  if (!URL.canParse(resource) || !holds(new URL(resource), upstream))
    throw new DiscoveryRefused('the metadata are of another resource');
  return { resource, authorizationServers, scopes };
}

function holds(resource: URL, upstream: URL): boolean {
  const isBare = resource.username === '' && resource.password === '' && resource.hash === '' && resource.search === '';
  const inside = (path: string) => `${path.replace(/\/$/, '')}/`;
  return (
    isBare && resource.origin === upstream.origin && inside(upstream.pathname).startsWith(inside(resource.pathname))
  );
}
