import { type GuardedFetch, guardedFetch, type GuardedFetchOptions } from '@warder/egress';
import {
  type DiscoveredProvider,
  discoveredProvider,
  DiscoveryRefused,
  type OurClient,
  readChallenge,
  readRegistration,
  readResourceMetadata,
  readServerMetadata,
  type RegisteredClient,
  registrationRequest,
  type ResourceMetadata,
  resourceMetadataUrls,
  type ServerMetadata,
  serverMetadataUrls,
} from '@warder/provider-catalog';

export interface UpstreamDiscoveryOptions extends Pick<
  GuardedFetchOptions,
  'timeoutMs' | 'bytesMax' | 'ca' | 'resolver'
> {
  /** Whether an operator named the origin, as an upstream's or an authorization server's: only it may be private. */
  isNamed(origin: string): boolean;
  /** The issuer that the upstream has to name, where an operator named one. */
  readonly issuer?: string;
}

/** How an upstream is logged in to, as it says itself. */
export interface DiscoveredUpstream {
  readonly resource: ResourceMetadata;
  readonly server: ServerMetadata;
  readonly provider: DiscoveredProvider;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Milliseconds for every question of one discovery: a server may name many others that are slow. */
const ALL_MS_MAX = 60_000;
/** A request that changes nothing and that no server answers with a stream that lasts. */
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

/**
 * Asks MCP servers how they are logged in to: challenge, metadata of the resource, metadata of its authorization server,
 * registration. Each address is checked where it is dialled, whoever named it, and no redirect is followed.
 */
export class UpstreamDiscovery {
  private readonly fetch: GuardedFetch;
  /** Fires when all of a discovery together has taken too long. */
  private late: AbortSignal | undefined;

  constructor(private readonly options: UpstreamDiscoveryOptions) {
    this.fetch = guardedFetch({ ...options, isNamed: ({ origin }) => options.isNamed(origin) });
  }

  /** @throws DiscoveryRefused for an upstream that does not say, or says what cannot be believed */
  async discover(upstream: URL): Promise<DiscoveredUpstream> {
    this.late = AbortSignal.timeout(ALL_MS_MAX);
    const challenge = await this.challenge(upstream);
    const resource = await this.resource(upstream, challenge.resourceMetadata);
    const { issuer } = this.options;
    if (issuer !== undefined && !resource.authorizationServers.includes(issuer))
      throw new DiscoveryRefused('the upstream does not name the issuer that an operator named');
    const server = await this.server(issuer === undefined ? resource.authorizationServers : [issuer]);
    const scopes = challenge.scopes ?? resource.scopes;
    const isNamed = (origin: string) => this.options.isNamed(origin);
    return { resource, server, provider: discoveredProvider(server, resource, scopes, isNamed) };
  }

  /**
   * Registers our client (RFC 7591). Whoever calls keeps it by the server's issuer.
   * @throws DiscoveryRefused for a server that does not register it
   */
  async register(server: ServerMetadata, client: OurClient, scopes: readonly string[]): Promise<RegisteredClient> {
    const request = registrationRequest(server, client, scopes, (origin) => this.options.isNamed(origin));
    const { url, method, headers, body = '' } = request;
    return readRegistration(await this.ask(url, { method, headers, body }), client);
  }

  private async challenge(upstream: URL): Promise<ReturnType<typeof readChallenge>> {
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const answer = await this.ask(upstream, { method: 'POST', headers, body: PING });
    return answer.status === 401 ? readChallenge(answer.headers.get('www-authenticate')) : {};
  }

  private async resource(upstream: URL, challenged: string | undefined): Promise<ResourceMetadata> {
    const found = await this.first(resourceMetadataUrls(upstream, challenged));
    if (found === undefined) throw new DiscoveryRefused('the upstream has no metadata');
    return readResourceMetadata(upstream, found);
  }

  /** The first server whose metadata are there; one that says what it may not is no reason to ask the next. */
  private async server(issuers: readonly string[]): Promise<ServerMetadata> {
    for (const issuer of issuers) {
      const found = await this.first(serverMetadataUrls(issuer));
      if (found !== undefined) return readServerMetadata(issuer, found, (origin) => this.options.isNamed(origin));
    }
    throw new DiscoveryRefused('no authorization server of the upstream has metadata');
  }

  private async first(urls: readonly URL[]): Promise<unknown> {
    for (const url of urls) {
      const answer = await this.ask(url, { headers: { accept: 'application/json' } });
      // Many servers answer with a page, whatever they are asked for.
      if (answer.status === 200 && answer.body !== undefined) return answer.body;
    }
    return undefined;
  }

  private async ask(url: URL, init: RequestInit): Promise<Answer> {
    let answer: Response;
    let text: string;
    try {
      answer = await this.fetch(url, { ...init, ...(this.late === undefined ? {} : { signal: this.late }) });
      text = await answer.text();
    } catch (error) {
      throw new DiscoveryRefused(`${url.origin} could not be asked`, { cause: error });
    }
    return { status: answer.status, headers: answer.headers, body: parsed(text) };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
