import { createHash } from 'node:crypto';
import { ProviderEntry } from '../provider-entry.js';
import { DiscoveryRefused } from './discovery-refused.js';
import type { ResourceMetadata } from './resource-metadata.js';
import type { ServerMetadata } from './server-metadata.js';

/** A provider that nobody wrote down: an entry like any other, and the values of its parameters. */
export interface DiscoveredProvider {
  readonly entry: ProviderEntry;
  readonly values: Readonly<Record<string, string>>;
}

/** The id of an issuer's entry, and the key under which our client there is kept. */
export function issuerKey(issuer: string): string {
  return `mcp-${createHash('sha256').update(issuer).digest('hex').slice(0, 32)}`;
}

/**
 * The entry of an upstream's authorization server. An endpoint at an origin that an operator named becomes a parameter
 * with the operator's value, and may be private; one that only a document names stands in the entry, and may not
 * (GHSA-3768-rwj3-38p2: trust follows who named the URL).
 * @param scopes - of the challenge, or else of the resource's metadata
 * @throws DiscoveryRefused for a server that knows no proof of ours, or whose endpoint is nobody's
 */
export function discoveredProvider(
  server: ServerMetadata,
  resource: ResourceMetadata,
  scopes: readonly string[],
  isNamed: (origin: string) => boolean,
): DiscoveredProvider {
  const values: Record<string, string> = {};
  const template = (name: string, url: string): string => {
    if (!isNamed(new URL(url).origin)) return literal(url);
    values[name] = url;
    return `{${name}}`;
  };
  const document = {
    id: issuerKey(server.issuer),
    title: new URL(server.issuer).host,
    description: 'An authorization server that an MCP server named.',
    grants: ['authorization_code'],
    authorization: {
      endpoint: template('authorization_endpoint', server.authorizationEndpoint.href),
      pkce: 'S256',
      parameters: { resource: resource.resource },
      issuer: template('issuer', server.issuer),
      answersNameIssuer: server.namesItself,
    },
    token: {
      endpoint: template('token_endpoint', server.tokenEndpoint.href),
      authentication: server.authentication,
      body: 'form',
      parameters: {
        authorization_code: { resource: resource.resource },
        refresh_token: { resource: resource.resource },
      },
    },
    scopes: { separator: ' ', default: scopes },
    // A client of an MCP server is given a new refresh token at each use, or has none.
    refresh: { rotation: server.givesRefreshTokens ? 'rotates' : 'no-refresh-token' },
    lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: null, absoluteSeconds: null },
    account: { from: 'nowhere', because: 'The metadata of an MCP server do not say whose a token is.' },
    revocation: revocationOf(server, template),
    credential: { headers: { authorization: 'Bearer {access_token}' } },
    quirks: [],
    sources: [
      { url: 'https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization', readOn: '2026-11-29' },
    ],
  };
  const parameters = Object.fromEntries(
    Object.entries(values).map(([name, example]) => [name, { title: name.replaceAll('_', ' '), kind: 'url', example }]),
  );
  const parsed = ProviderEntry.safeParse({ ...document, parameters });
  if (!parsed.success) throw new DiscoveryRefused('the authorization server is none that we can use');
  return { entry: parsed.data, values };
}

function revocationOf(server: ServerMetadata, template: (name: string, url: string) => string): unknown {
  const { revocationEndpoint: endpoint } = server;
  return endpoint === undefined
    ? { kind: 'none', because: 'The authorization server names no revocation endpoint.' }
    : {
        kind: 'rfc7009',
        endpoint: template('revocation_endpoint', endpoint.href),
        tokens: ['refresh_token', 'access_token'],
      };
}

/** A URL in which no brace stands for a parameter: a document must not name one of ours. */
function literal(url: string): string {
  return url.replaceAll('{', '%7B').replaceAll('}', '%7D');
}
