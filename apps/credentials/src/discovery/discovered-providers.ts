import type { PutDiscoveredProvider } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import {
  clientDocument,
  type ClientAuthenticationMethod,
  DiscoveryRefused,
  documentProof,
  type OurClient,
  registrationWay,
} from '@warder/provider-catalog';
import { AdminError } from '@warder/service-host';
import type { Callbacks } from '../connections/callbacks.js';
import type { DiscoveredFacts, Provider } from '../connections/provider.entity.js';
import { placeOf } from '../connections/provider-place.js';
import type { ProviderClientRow, ProvidersStore, ProviderView } from '../connections/providers.store.js';
import type { UpstreamUses } from '../connections/upstream-uses.js';
import { type DiscoveredUpstream, UpstreamDiscovery, type UpstreamDiscoveryOptions } from './upstream-discovery.js';

/** What was said a moment ago is not asked for again by the next person who connects. */
const LOOK_AGAIN_MS = 60_000;

export interface DiscoveredProvidersParts extends Omit<UpstreamDiscoveryOptions, 'isNamed' | 'issuer'> {
  readonly providers: ProvidersStore;
  readonly uses: Pick<UpstreamUses, 'urlOf'>;
  readonly callbacks: Pick<Callbacks, 'urlOf'>;
  readonly publicUrl: () => URL;
  /** Hosts, with their port, that may be private addresses. */
  readonly privateHosts: readonly string[];
  readonly wallMs: () => number;
}

/** Who our client is at a server, and the secret that came with a registration. */
interface Client extends Pick<Provider, 'clientId' | 'authentication' | 'assertion'> {
  readonly how: DiscoveredFacts['client'];
  readonly clientSecret?: string;
  readonly secretExpiresAtMs: number | null;
}

/**
 * MCP servers that say themselves how they are logged in to (MCP 2026-07-28, authorization). Such a provider is of one
 * upstream, one resource and one issuer, which are its place: whoever names another one later gets neither our client there
 * nor its tokens.
 */
export class DiscoveredProviders {
  /** Wall milliseconds of the last look that found all as it was, by provider and version. */
  private readonly seen = new Map<string, number>();

  constructor(private readonly parts: DiscoveredProvidersParts) {}

  /**
   * Asks the upstream of now, becomes a client of its authorization server, and keeps both.
   * @throws AdminError 409 WDR_UPSTREAM_TRANSPORT, WDR_PROVIDER_IN_USE; 502 WDR_DISCOVERY_REFUSED
   */
  async put(id: string, body: PutDiscoveredProvider, by: AdminActor): Promise<ProviderView> {
    const upstream = this.parts.uses.urlOf(body.upstream);
    if (upstream === undefined)
      throw new AdminError(409, 'WDR_UPSTREAM_TRANSPORT', `the policy in force names no MCP server ${body.upstream}`);
    const discovery = this.discoveryOf(upstream, body.issuer);
    const found = await orRefused(() => discovery.discover(upstream));
    const place = { entry: body.entry, parameters: parametersOf(upstream, found, body.issuer) };
    // Before anybody registers us for nothing.
    await this.parts.providers.ensureFits(id, place, { keepsSecret: false });
    const before = await this.parts.providers.find(id);
    const kept = body.client === undefined ? this.kept(before, place, found) : undefined;
    const client = kept ?? (await orRefused(() => this.become(id, found, discovery, body)));
    const { how, clientSecret, secretExpiresAtMs, ...proof } = client;
    const { values, entry } = found.provider;
    const titled = { ...entry, title: upstream.host };
    const row: ProviderClientRow = {
      ...place,
      ...proof,
      scopes: body.scopes ?? null,
      exchange: null,
      discovered: { entry: titled, values, client: how, secretExpiresAtMs },
    };
    return this.parts.providers.putClient(id, row, { clientSecret, keepsSecret: kept !== undefined }, by);
  }

  /**
   * Before somebody is sent there: the upstream still names the resource and the issuer of which we are a client.
   * @throws AdminError 502 WDR_DISCOVERY_REFUSED
   */
  async ensureSame(id: string): Promise<void> {
    const provider = await this.parts.providers.active(id);
    if (provider.discovered === null) return;
    const key = `${id} ${provider.version}`;
    const nowMs = this.parts.wallMs();
    for (const [each, atMs] of this.seen) if (nowMs - atMs >= LOOK_AGAIN_MS) this.seen.delete(each);
    if (this.seen.has(key)) return;
    const { upstream = '', issuer, pinned } = provider.parameters;
    const found = await orRefused(() => this.discoveryOf(new URL(upstream), pinned).discover(new URL(upstream)));
    const now = { entry: provider.entry, parameters: parametersOf(new URL(upstream), found, pinned) };
    if (placeOf(now) !== placeOf(provider))
      throw refused(`the upstream names another authorization server or resource than ${issuer ?? ''}`);
    this.seen.set(key, nowMs);
  }

  /** Whether tokens of a provider may go to an upstream: those of a resource go to no other (RFC 8707), wherever a policy has it. */
  async mayServe(id: string, upstream: string): Promise<boolean> {
    const provider = await this.parts.providers.find(id);
    if (provider === null || provider.discovered === null) return true;
    return this.parts.uses.urlOf(upstream)?.href === provider.parameters['upstream'];
  }

  /** The metadata document of our client at a provider; undefined where it has none. */
  async document(id: string): Promise<Record<string, unknown> | undefined> {
    const provider = await this.parts.providers.find(id);
    if (provider?.discovered?.client !== 'document') return undefined;
    return clientDocument(this.ourClient(id), provider.authentication === 'none' ? 'none' : 'private_key_jwt');
  }

  /** Only the upstream, which the policy names, and the issuer that an administrator named may be at a private address. */
  private discoveryOf(upstream: URL, issuer: string | undefined): UpstreamDiscovery {
    const { privateHosts, timeoutMs, bytesMax, ca, resolver } = this.parts;
    const origins = [upstream.origin, ...(issuer === undefined ? [] : [new URL(issuer).origin])];
    return new UpstreamDiscovery({
      timeoutMs,
      bytesMax,
      ...(ca === undefined ? {} : { ca }),
      ...(resolver === undefined ? {} : { resolver }),
      ...(issuer === undefined ? {} : { issuer }),
      isNamed: (origin) => origins.includes(origin) && privateHosts.includes(new URL(origin).host),
    });
  }

  /** As it was, at the same place, while the server still takes its proof. */
  private kept(
    before: Provider | null,
    place: Pick<Provider, 'entry' | 'parameters'>,
    { server }: DiscoveredUpstream,
  ): Client | undefined {
    if (before === null || before.discovered === null || placeOf(before) !== placeOf(place)) return undefined;
    const { clientId, authentication, assertion, discovered } = before;
    const { client: how, secretExpiresAtMs } = discovered;
    if (secretExpiresAtMs !== null && secretExpiresAtMs <= this.parts.wallMs()) return undefined;
    if (authentication === null || !server.authentication.includes(authentication)) return undefined;
    if (how === 'document' && documentProof(server, this.ourClient(before.id)) !== authentication) return undefined;
    return { clientId, authentication, assertion, how, secretExpiresAtMs };
  }

  private async become(
    id: string,
    { server, provider }: DiscoveredUpstream,
    discovery: UpstreamDiscovery,
    { client: wanted, scopes }: PutDiscoveredProvider,
  ): Promise<Client> {
    const ours = this.ourClient(id);
    const isSecure = this.parts.publicUrl().protocol === 'https:';
    // Nobody else can read our document, or is to take it, where we are not at an address with TLS.
    const order =
      wanted === undefined ? (isSecure ? (['document', 'dynamic'] as const) : ['dynamic' as const]) : [wanted];
    const how = registrationWay(server, ours, false, order);
    const proof = documentProof(server, ours);
    if (how === 'document' && proof !== undefined) {
      const clientId = ours.documents[proof] ?? '';
      const assertion = proof === 'none' ? null : { algorithm: 'RS256' as const, audience: server.issuer };
      return { how, clientId, authentication: proof, assertion, secretExpiresAtMs: null };
    }
    if (how !== 'dynamic') throw new DiscoveryRefused('the authorization server takes no client like ours');
    const registered = await discovery.register(server, ours, scopes ?? provider.entry.scopes.default);
    const { clientId, clientSecret, method, secretExpiresAtMs = null } = registered;
    ensureTaken(server.authentication, method);
    const secret = clientSecret === undefined || method === 'none' ? {} : { clientSecret };
    return { how, clientId, authentication: method, assertion: null, secretExpiresAtMs, ...secret };
  }

  private ourClient(id: string): OurClient {
    const { callbacks, publicUrl } = this.parts;
    const at = (path: string): string => new URL(path, publicUrl()).href;
    const document = at(`/connections/clients/${id}.json`);
    return {
      name: 'Warder',
      homeUrl: at('/'),
      redirectUri: callbacks.urlOf({ id }),
      documents: { private_key_jwt: document, none: document },
      jwksUri: at('/connections/jwks.json'),
    };
  }
}

/** The place of such a provider; another value of any of these is another place. */
function parametersOf(
  upstream: URL,
  { server, resource }: DiscoveredUpstream,
  pinned: string | undefined,
): Readonly<Record<string, string>> {
  const named = { upstream: upstream.href, issuer: server.issuer, resource: resource.resource };
  return pinned === undefined ? named : { ...named, pinned };
}

function ensureTaken(methods: readonly ClientAuthenticationMethod[], method: ClientAuthenticationMethod): void {
  if (!methods.includes(method))
    throw new DiscoveryRefused('the registration says a proof that the server does not take');
}

async function orRefused<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DiscoveryRefused) throw refused(error.message);
    throw error;
  }
}

function refused(what: string): AdminError {
  return new AdminError(502, 'WDR_DISCOVERY_REFUSED', what);
}
