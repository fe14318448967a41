import type { GuardedFetch } from '@warder/egress';
import type { Outbox } from '@warder/postgres';
import type { ClientMetadata, JWKS } from 'oidc-provider';
import type { GrantsStore } from '../authorization/grants.store.js';
import { OauthItems, type OauthItemParts } from '../authorization/oauth-item.store.js';
import type { SigningKeys } from '../authorization/signing-keys.js';
import type { VirtualServers } from '../authorization/virtual-servers.js';
import type { IdentityStore } from '../identity.store.js';
import type { PeopleStore } from '../sign-in/people.store.js';
import { AGENT_GRANTS } from './agent-grants.js';
import { AgentIssues } from './agent-issues.store.js';
import { AgentTokens } from './agent-tokens.js';
import type { AgentsConfig } from './agents-config.js';
import { CompanyTokens } from './company-tokens.js';
import { OwnTokens } from './own-tokens.js';
import type { ServiceCredentialsStore } from './service-credentials.store.js';
import { AgentTokenEndpoint, isServiceAccount, type TokenEndpointParts } from './token-endpoint.js';
import { WorkloadTokens } from './workload-tokens.js';

/** What of agents the authorization server is given from outside. */
export interface AgentsParts {
  readonly config: AgentsConfig;
  readonly outbox: Outbox;
  readonly people: PeopleStore;
  readonly credentials: ServiceCredentialsStore;
  readonly fetchKeys: GuardedFetch;
  readonly onFailure: TokenEndpointParts['onFailure'];
}

/** What it has of its own. */
export interface AgentsSurroundings {
  readonly origin: string;
  readonly store: IdentityStore;
  readonly grants: GrantsStore;
  readonly keys: SigningKeys;
  readonly servers: VirtualServers;
  readonly accessMs: number;
  readonly idJagClients: readonly string[];
}

export interface Agents {
  readonly tokens: AgentTokens;
  readonly endpoint: AgentTokenEndpoint;
  /** Clients by which workloads come, beside those of the configuration. */
  readonly clients: readonly ClientMetadata[];
}

/** Everything by which programs come for tokens. */
export function createAgents(parts: AgentsParts, around: AgentsSurroundings): Agents {
  const { config, outbox, people, credentials, fetchKeys, onFailure } = parts;
  const { origin, store, grants, keys, servers, accessMs } = around;
  const wallMs = (): number => store.wallMs();
  const lifetimeMaxS = config.assertionSecondsMax;
  const issues = new AgentIssues({ origin, store, grants, outbox, accessMs });
  const tokens = new AgentTokens({ origin, issues, servers });
  const endpoint = new AgentTokenEndpoint({
    store,
    credentials,
    tokens,
    own: new OwnTokens(origin, store, grants, keys),
    company: new CompanyTokens(config.issuers, fetchKeys, { people, origin, lifetimeMaxS, wallMs }),
    workloads: new WorkloadTokens(config.trustDomains, fetchKeys, wallMs),
    rules: config.mayAct,
    idJagClients: new Set(around.idJagClients),
    onFailure,
  });
  return { tokens, endpoint, clients: config.trustDomains.map(({ id }) => workloadClient(id)) };
}

/** Its workloads prove who they are by the token that they present, and the client proves nothing. */
function workloadClient(id: string): ClientMetadata {
  return {
    client_id: id,
    client_name: id,
    redirect_uris: [],
    response_types: [],
    grant_types: [AGENT_GRANTS.tokenExchange],
    token_endpoint_auth_method: 'none',
  };
}

/** Clients of the authorization server: those that registered themselves, and service accounts. */
export class AllClients extends OauthItems {
  constructor(
    parts: OauthItemParts,
    private readonly credentials: ServiceCredentialsStore,
    private readonly keysAt: (clientId: string, url: string) => Promise<JWKS>,
  ) {
    super('Client', parts);
  }

  /** With its keys as they are published now: the library would take one that is gone for as long as it knows the client. */
  override async find(id: string): ReturnType<OauthItems['find']> {
    const found = await (isServiceAccount(id) ? this.credentials.client(id) : super.find(id));
    if (typeof found?.['jwks_uri'] !== 'string') return found;
    const { jwks_uri: uri, ...rest } = found;
    return { ...rest, jwks: await this.keysAt(id, uri) };
  }
}
