import { ADMIN_SCOPE, OAUTH_SCOPE } from '@warder/contracts';
import { noticePage, PAGE_HEADERS, pageOf, sessionCookieName } from '@warder/pages';
import { AGENT_GRANTS } from '../agents/agent-grants.js';
import { AllClients, type Agents, type AgentsParts, createAgents } from '../agents/create-agents.js';
import { isServiceAccount } from '../agents/token-endpoint.js';
import {
  errors,
  type ClientMetadata,
  type Configuration,
  type JWKS,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider';
import type { AuthorizationConfig } from './authorization-config.js';
import { type ClientDocuments, withApplicationType } from './client-documents.js';
import { consentPolicy } from './consent-policy.js';
import { ACCOUNT_CLIENT, accountClient } from './first-party.js';
import { proofOf } from './interactions.store.js';
import { ADMIN, type Resource, resourceAt, scopeOf, urlOf } from './resources.js';
import { registeredBy, ROUTES } from './routes.js';
import type { KeySets } from './key-sets.js';
import { OauthItems, type OauthItemParts } from './oauth-item.store.js';
import { askToSignOut, tellSignOut } from './sign-out-pages.js';
import type { SigningKeys } from './signing-keys.js';
import { SigningNow } from './signing-now.js';
import { toldToClient } from './told-to-client.js';
import type { VirtualServers } from './virtual-servers.js';

/** Seconds in which a person has to sign in and to decide. */
const INTERACTION_S = 900;
const CODE_S = 60;
const DAY_S = 86_400;

export interface ProviderParts {
  /** The public origin; the issuer, whatever a request calls us. */
  readonly origin: string;
  readonly config: AuthorizationConfig;
  readonly items: Omit<OauthItemParts, 'reuseMs' | 'proof'>;
  readonly keys: SigningKeys;
  readonly documents: ClientDocuments;
  readonly keySets: KeySets;
  readonly servers: VirtualServers;
  readonly agents: AgentsParts;
  /** Whether the principal may sign in and have tokens now. */
  isActive(principalId: string): Promise<boolean>;
}

/**
 * The authorization server that MCP clients meet: OAuth 2.1 with PKCE, tokens for one virtual server each (RFC 8707),
 * registration by document, by request and in advance. Its pages are ours.
 */
export function createProvider(parts: ProviderParts): Provider {
  const { origin, config } = parts;
  const items: OauthItemParts = {
    ...parts.items,
    reuseMs: config.refreshReuseSeconds * 1_000,
    proof: () => proofOf(Provider.ctx?.oidc.result),
  };
  const isSecure = origin.startsWith('https:');
  const agents = agentsOf(parts);
  const cookie = { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: true, overwrite: true } as const;
  const configuration: Configuration = {
    adapter: (model: string) => itemsOf(parts, items, model),
    jwks: { keys: [new SigningNow(parts.keys)] },
    clients: [...config.clients.map(staticClient), ...agents.clients, accountClient(origin)],
    clientDefaults: { id_token_signed_response_alg: 'ES256', grant_types: ['authorization_code', 'refresh_token'] },
    cookies: {
      keys: parts.items.sealing.cookieKeys(),
      long: cookie,
      short: cookie,
      // Its name says on TLS that no other host or path can have set it (RFC 6265bis section 4.1.3.2).
      names: {
        session: sessionCookieName(isSecure),
        interaction: 'wdr_interaction',
        resume: 'wdr_resume',
      },
    },
    scopes: ['openid', 'offline_access', OAUTH_SCOPE, ADMIN_SCOPE],
    responseTypes: ['code', 'none'],
    pkce: { required: () => true },
    routes: ROUTES,
    interactions: { url: (_, { uid }) => `/sign-in/${uid}`, policy: consentPolicy() },
    features: featuresOf(parts),
    formats: {
      customizers: {
        // To the millisecond (RFC 7519 section 2 allows it): a sign-out must not reach who signed in again within its second.
        jwt: (_, token, { payload }) =>
          void (payload!['iat'] = (agents.tokens.issuedAtMs(token) ?? parts.items.store.wallMs()) / 1_000),
      },
    },
    fetch: (to, init) => parts.documents.fetch(to instanceof Request ? to.url : to.toString(), init),
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    loadExistingGrant: grantOf,
    ttl: lifetimesOf(config),
    extraTokenClaims: (ctx, token) => {
      const client = ctx.oidc.client ?? token.client;
      return {
        grant_id: 'grantId' in token ? (token.grantId as string) : '',
        client_name: client?.clientName ?? client?.clientId ?? '',
        client_by: registeredBy(client?.clientId ?? '', config),
        ...agents.tokens.claimsOf(token),
        ...authenticationOf(ctx, token, origin),
      };
    },
    renderError: (ctx, { error_description: detail }) => {
      for (const [name, value] of Object.entries(PAGE_HEADERS)) ctx.set(name, value);
      const sentence = `Your program asked for something that cannot be given: ${detail ?? 'it did not say why'}.`;
      ctx.body = pageOf('That did not work', noticePage('That did not work', sentence));
    },
    findAccount: async (_, id) =>
      (await toldToClient(() => parts.isActive(id))) ? { accountId: id, claims: async () => ({ sub: id }) } : undefined,
  };
  const provider = new Provider(origin, configuration);
  // Its addresses are made of the headers that the door sets.
  provider.proxy = true;
  agents.endpoint.registerOn(provider);
  return provider;
}

function itemsOf(parts: ProviderParts, items: OauthItemParts, model: string): OauthItems {
  if (model !== 'Client') return new OauthItems(model, items);
  return new AllClients(items, parts.agents.credentials, (id, url) => keysAt(parts, id, url));
}

/** Keys of service accounts may stand where an operator said, and those of others nowhere private. */
function keysAt({ agents, documents, keySets }: ProviderParts, clientId: string, url: string): Promise<JWKS> {
  return isServiceAccount(clientId) ? keySets.of(url, agents.fetchKeys) : documents.keysAt(url);
}

function agentsOf({ origin, config, items: { store, grants }, keys, servers, agents }: ProviderParts): Agents {
  const accessMs = config.accessTokenMinutes * 60_000;
  const idJagClients = config.clients.filter(({ idJag }) => idJag).map(({ id }) => id);
  return createAgents(agents, { origin, store, grants, keys, servers, accessMs, idJagClients });
}

/** Seconds that each thing lives. */
function lifetimesOf(config: AuthorizationConfig): NonNullable<Configuration['ttl']> {
  return {
    AccessToken: config.accessTokenMinutes * 60,
    AuthorizationCode: CODE_S,
    Grant: config.grantDays * DAY_S,
    IdToken: 3_600,
    Interaction: INTERACTION_S,
    RefreshToken: config.refreshTokenDays * DAY_S,
    Session: config.sessionHours * 3_600,
  };
}

function featuresOf({ origin, config, servers }: ProviderParts): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: true, logoutSource: askToSignOut, postLogoutSuccessSource: tellSignOut },
    revocation: { enabled: true, allowedPolicy: (_, client, token) => isOwn(client, token) },
    // Whoever registers is a client: what others have is none of its business.
    introspection: { enabled: true, allowedPolicy: (_, client, token) => isOwn(client, token) },
    registration: { enabled: config.registration.mode === 'on', issueRegistrationAccessToken: false },
    clientIdMetadataDocument: {
      enabled: config.clientDocuments !== 'off',
      ack: 'draft-02',
      allowFetch: (_, clientId) => isAllowedHost(clientId, config.clientDocuments),
    },
    resourceIndicators: {
      enabled: true,
      // What the person allowed is for one server; a client that asks for its token without naming it means that one.
      useGrantedResource: () => true,
      defaultResource: (_, client) => (client.clientId === ACCOUNT_CLIENT ? [] : soleServer(origin, servers)),
      getResourceServerInfo: ({ oidc }, resource, client) => {
        // A token is for one server, and so is what the person is asked.
        if (Array.isArray(oidc.params?.['resource']) && oidc.params['resource'].length > 0)
          throw new errors.InvalidTarget('name one virtual server as resource');
        const asked = resourceAt(origin, resource);
        const isThere = asked?.kind === 'admin' ? isForAdmins(config, client.clientId) : isServer(asked, servers);
        if (asked === undefined || !isThere) throw new errors.InvalidTarget();
        return {
          scope: scopeOf(asked),
          audience: resource,
          accessTokenTTL: config.accessTokenMinutes * 60,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        };
      },
    },
  };
}

/**
 * When the person said who they are, in a token for the admin doors (RFC 9470 section 6.2): a change there asks for it. A
 * refresh makes it no younger.
 */
function authenticationOf({ oidc }: KoaContextWithOIDC, token: object, origin: string): { auth_time?: number } {
  if ((token as { readonly aud?: unknown }).aud !== urlOf(origin, ADMIN)) return {};
  const { AuthorizationCode: code, RefreshToken: refreshToken } = oidc.entities;
  const atS = (code ?? refreshToken)?.authTime;
  return atS === undefined ? {} : { auth_time: atS };
}

function isForAdmins({ clients }: AuthorizationConfig, clientId: string): boolean {
  return clients.some(({ id, admin }) => id === clientId && admin);
}

function isServer(asked: Resource | undefined, servers: VirtualServers): boolean {
  return asked?.kind === 'server' && servers.describe(asked.name) !== undefined;
}

/** Of another client's token is said and done nothing, as of one that never was (RFC 7009 section 2.1, RFC 7662 section 2.2). */
function isOwn(
  { clientId }: { readonly clientId: string },
  token: { readonly clientId?: string | undefined },
): boolean {
  return token.clientId === clientId;
}

/** What the person allowed the client before; our own pages need nobody's leave, and nothing is kept of it. */
async function grantOf({ oidc }: KoaContextWithOIDC): Promise<InstanceType<Provider['Grant']> | undefined> {
  const { clientId } = oidc.client!;
  const { accountId } = oidc.session!;
  if (clientId === ACCOUNT_CLIENT && accountId !== undefined) {
    const grant = new oidc.provider.Grant({ accountId, clientId });
    grant.addOIDCScope('openid');
    return grant;
  }
  const result = oidc.result as { consent?: { grantId?: string } } | undefined;
  const grantId = result?.consent?.grantId ?? oidc.session!.grantIdFor(clientId);
  return grantId === undefined ? undefined : oidc.provider.Grant.find(grantId);
}

function staticClient(known: AuthorizationConfig['clients'][number]): ClientMetadata {
  const { id, name, redirectUris, secret, idJag } = known;
  const isForPeople = redirectUris.length > 0;
  const document = withApplicationType({
    client_id: id,
    client_name: name,
    redirect_uris: redirectUris,
    grant_types: [
      ...(isForPeople ? ['authorization_code', 'refresh_token'] : []),
      ...(idJag ? [AGENT_GRANTS.jwtBearer] : []),
    ],
    response_types: isForPeople ? ['code'] : [],
    ...(secret === undefined
      ? { token_endpoint_auth_method: 'none' }
      : { token_endpoint_auth_method: 'client_secret_basic', client_secret: secret }),
  });
  return document as unknown as ClientMetadata;
}

function isAllowedHost(clientId: string, allowed: AuthorizationConfig['clientDocuments']): boolean {
  if (typeof allowed === 'string') return allowed === 'any';
  return allowed.includes(new URL(clientId).host);
}

/** Clients older than RFC 8707 name no resource; where there is but one, it is clear which they mean. */
function soleServer(origin: string, servers: VirtualServers): string {
  const [name, ...others] = servers.names();
  if (name === undefined || others.length > 0) throw new errors.InvalidTarget('name the virtual server as resource');
  return `${origin}/mcp/${name}`;
}
