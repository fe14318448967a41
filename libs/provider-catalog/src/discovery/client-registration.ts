import { z } from 'zod';
import type { ClientAuthenticationMethod } from '../provider-entry.js';
import type { ProviderRequest } from '../provider-setup.js';
import type { ServerMetadata } from './server-metadata.js';
import { DiscoveryRefused } from './discovery-refused.js';

/** Ways to be a client: `registered` by hand, by a metadata document of ours, by dynamic registration (RFC 7591). */
export type RegistrationWay = 'registered' | 'document' | 'dynamic';

/** The order of the MCP specification; an operator may say another, for our document must be reachable from theirs. */
export const REGISTRATION_ORDER: readonly RegistrationWay[] = ['registered', 'document', 'dynamic'];

/** Our client, as it is told to others. */
export interface OurClient {
  readonly name: string;
  readonly homeUrl: string;
  readonly redirectUri: string;
  /** Where our metadata documents stand, by the proof that each says: a document's URL is the client id. */
  readonly documents: Readonly<Partial<Record<DocumentProof, string>>>;
  /** Where our keys stand; a document with `private_key_jwt` names them. */
  readonly jwksUri?: string;
}

/** How the client of a metadata document proves itself: by a key or not at all, never by a shared secret. */
export type DocumentProof = 'private_key_jwt' | 'none';

/** Which way to go at a server; nothing where none is open. */
export function registrationWay(
  server: ServerMetadata,
  client: OurClient,
  isRegistered: boolean,
  order: readonly RegistrationWay[] = REGISTRATION_ORDER,
): RegistrationWay | undefined {
  const isOpen: Readonly<Record<RegistrationWay, () => boolean>> = {
    registered: () => isRegistered,
    document: () => documentProof(server, client) !== undefined,
    dynamic: () => server.registrationEndpoint !== undefined && dynamicProof(server) !== undefined,
  };
  return order.find((way) => isOpen[way]());
}

/**
 * Which of our documents a server can take; nothing where it takes none. Any server that takes documents takes each of ours,
 * so whoever sends a visitor on to it with the document of another would be given the code, if answers did not say whose
 * they are (a mix-up, RFC 9207): such a server gets a client of its own.
 */
export function documentProof(server: ServerMetadata, { documents }: OurClient): DocumentProof | undefined {
  if (!server.takesClientDocuments || !server.namesItself) return undefined;
  return (['private_key_jwt', 'none'] as const).find(
    (proof) => documents[proof] !== undefined && server.authentication.includes(proof),
  );
}

function dynamicProof(server: ServerMetadata): ClientAuthenticationMethod | undefined {
  return (['client_secret_basic', 'client_secret_post', 'none'] as const).find((method) =>
    server.authentication.includes(method),
  );
}

/** A metadata document of ours (draft-ietf-oauth-client-id-metadata-document section 4). */
export function clientDocument(client: OurClient, proof: DocumentProof): Record<string, unknown> {
  return { client_id: client.documents[proof], ...told(client, proof) };
}

/** The request that registers us (RFC 7591 section 3.1). */
export function registrationRequest(
  server: ServerMetadata,
  client: OurClient,
  scopes: readonly string[],
  isNamed: (origin: string) => boolean,
): ProviderRequest {
  const proof = dynamicProof(server);
  if (server.registrationEndpoint === undefined || proof === undefined)
    throw new DiscoveryRefused('the authorization server registers no client like ours');
  const scope = scopes.join(' ');
  return {
    url: server.registrationEndpoint,
    namedBy: isNamed(server.registrationEndpoint.origin) ? 'operator' : 'catalogue',
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ ...told(client, proof), ...(scope === '' ? {} : { scope }) }),
  };
}

function told(client: OurClient, proof: ClientAuthenticationMethod): Record<string, unknown> {
  const hasKeys = proof === 'private_key_jwt' && client.jwksUri !== undefined;
  return {
    client_name: client.name,
    client_uri: client.homeUrl,
    application_type: 'web',
    redirect_uris: [client.redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: proof,
    ...(hasKeys ? { jwks_uri: client.jwksUri } : {}),
  };
}

/** Our client as a server registered it. It is kept by the server's issuer: another issuer's is another's. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly method: ClientAuthenticationMethod;
  /** When the secret ends; absent: never. */
  readonly secretExpiresAtMs?: number;
}

/** RFC 6749 appendix A: what a client id and a secret are made of. */
const Printable = z.string().regex(/^[\x20-\x7e]{1,2000}$/);

const Registered = z.object({
  client_id: Printable,
  client_secret: Printable.optional(),
  client_secret_expires_at: z.int().min(0).optional(),
  token_endpoint_auth_method: z.enum(['client_secret_basic', 'client_secret_post', 'none']).optional(),
  redirect_uris: z.array(z.string().max(2_000)).max(100).optional(),
});

/**
 * The answer to a registration (RFC 7591 section 3.2.1). The server may have chosen another proof than was asked for.
 * @throws DiscoveryRefused for what is no registration of ours
 */
export function readRegistration(
  answer: { readonly status: number; readonly body: unknown },
  client: Pick<OurClient, 'redirectUri'>,
): RegisteredClient {
  const parsed = Registered.safeParse(answer.body);
  if (answer.status !== 201 && answer.status !== 200)
    throw new DiscoveryRefused(`the registration answered ${answer.status}`);
  if (!parsed.success) throw new DiscoveryRefused('the registration answered no client');
  const { client_id: clientId, client_secret: clientSecret, client_secret_expires_at: ends = 0 } = parsed.data;
  const method =
    parsed.data.token_endpoint_auth_method ?? (clientSecret === undefined ? 'none' : 'client_secret_basic');
  // Without our address no answer would ever come back.
  if (parsed.data.redirect_uris?.includes(client.redirectUri) === false)
    throw new DiscoveryRefused('the registration is of another address');
  if (method !== 'none' && clientSecret === undefined) throw new DiscoveryRefused('the registration gave no secret');
  return {
    clientId,
    method,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(ends === 0 ? {} : { secretExpiresAtMs: ends * 1_000 }),
  };
}
