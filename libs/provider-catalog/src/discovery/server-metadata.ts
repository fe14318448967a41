import { z } from 'zod';
import { ClientAuthenticationMethod } from '../provider-entry.js';
import { DiscoveryRefused } from './discovery-refused.js';

const Names = z.array(z.string().max(200)).max(200);
const Document = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string().max(2_000),
  token_endpoint: z.string().max(2_000),
  registration_endpoint: z.string().max(2_000).optional(),
  revocation_endpoint: z.string().max(2_000).optional(),
  response_types_supported: Names.optional(),
  grant_types_supported: Names.optional(),
  code_challenge_methods_supported: Names.optional(),
  token_endpoint_auth_methods_supported: Names.optional(),
  scopes_supported: Names.optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});

/** What an authorization server says of itself (RFC 8414), as far as we act on it. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly authorizationEndpoint: URL;
  readonly tokenEndpoint: URL;
  readonly registrationEndpoint: URL | undefined;
  readonly revocationEndpoint: URL | undefined;
  /** Those that we know, as it lists them. */
  readonly authentication: readonly ClientAuthenticationMethod[];
  readonly scopes: readonly string[];
  readonly givesRefreshTokens: boolean;
  readonly takesClientDocuments: boolean;
  /** Its answers name it (RFC 9207). */
  readonly namesItself: boolean;
}

/** Where an issuer's metadata may stand, in the order of the MCP specification. */
export function serverMetadataUrls(issuer: string): URL[] {
  const { origin, path } = issuerParts(issuer);
  const oauth = '/.well-known/oauth-authorization-server';
  const openid = '/.well-known/openid-configuration';
  const places = path === '' ? [oauth, openid] : [`${oauth}${path}`, `${openid}${path}`, `${path}${openid}`];
  return places.map((place) => new URL(place, origin));
}

/**
 * Metadata of the issuer that the upstream named. Whose they say they are must be that issuer to the byte (RFC 8414
 * section 3.3), and a server without S256 is not used: MCP has clients refuse it.
 * @param isNamed - whether an operator named an origin: only then may it be without TLS
 * @throws DiscoveryRefused for metadata of another, or of one that we do not use
 */
export function readServerMetadata(
  issuer: string,
  document: unknown,
  isNamed: (origin: string) => boolean,
): ServerMetadata {
  const parsed = Document.safeParse(document);
  if (!parsed.success) throw new DiscoveryRefused('these are no metadata of an authorization server');
  const { data } = parsed;
  if (data.issuer !== issuer) throw new DiscoveryRefused('the metadata are of another issuer');
  if (data.code_challenge_methods_supported?.includes('S256') !== true)
    throw new DiscoveryRefused('the authorization server does not say that it takes PKCE with S256');
  if (data.response_types_supported?.includes('code') === false)
    throw new DiscoveryRefused('the authorization server gives no codes');
  const endpoint = (url: string) => endpointOf(url, isNamed);
  const methods = data.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return {
    issuer,
    authorizationEndpoint: endpoint(data.authorization_endpoint),
    tokenEndpoint: endpoint(data.token_endpoint),
    registrationEndpoint: data.registration_endpoint === undefined ? undefined : endpoint(data.registration_endpoint),
    revocationEndpoint: data.revocation_endpoint === undefined ? undefined : endpoint(data.revocation_endpoint),
    authentication: methods.flatMap((method) => ClientAuthenticationMethod.safeParse(method).data ?? []),
    scopes: data.scopes_supported ?? [],
    givesRefreshTokens: data.grant_types_supported?.includes('refresh_token') ?? true,
    takesClientDocuments: data.client_id_metadata_document_supported === true,
    namesItself: data.authorization_response_iss_parameter_supported === true,
  };
}

function issuerParts(issuer: string): { origin: string; path: string } {
  if (!URL.canParse(issuer)) throw new DiscoveryRefused('the issuer is no URL');
  const { origin, pathname, search, hash, username, password } = new URL(issuer);
  // RFC 8414 section 2: an issuer has neither query nor fragment.
  if (search !== '' || hash !== '' || username !== '' || password !== '')
    throw new DiscoveryRefused('the issuer has parts that an issuer has not');
  return { origin, path: pathname.replace(/\/$/, '') };
}

function endpointOf(text: string, isNamed: (origin: string) => boolean): URL {
  if (!URL.canParse(text)) throw new DiscoveryRefused('an endpoint is no URL');
  const url = new URL(text);
  const isPlain = url.protocol === 'http:' && isNamed(url.origin);
  // Another scheme would have a browser or a shell do something else than log in (CVE-2025-6514).
  if (url.protocol !== 'https:' && !isPlain) throw new DiscoveryRefused('an endpoint is not https');
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw new DiscoveryRefused('an endpoint has parts that it must not have');
  return url;
}
