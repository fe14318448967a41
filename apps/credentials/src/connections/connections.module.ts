import { readFileSync } from 'node:fs';
import type { Provider as NestProvider, Type } from '@nestjs/common';
import { AdminAccess } from '@warder/admin-access';
import type { Replica } from '@warder/bus';
import { policySnapshotTopic, signingKeyStateTopic } from '@warder/contracts';
import { mountGuestPages, PassKeys } from '@warder/pages';
import { Outbox } from '@warder/postgres';
import type { NamedSecrets, SealedValues, SecretStore } from '@warder/secrets';
import type { Host } from '@warder/service-host';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { CredentialsConfig } from '../credentials-config.js';
import { answering, SECRETS } from '../service-secrets.js';
import { ClientKeys } from '../client-keys/client-keys.js';
import { Callbacks } from './callbacks.js';
import { ConnectionActs } from './connection-acts.js';
import { ConnectionLeaseSource } from './connection-lease-source.js';
import { ConnectionStates } from './connection-states.store.js';
import { ConnectionTokens } from './connection-tokens.js';
import { connectionsPages } from './connections-door.js';
import { ConnectionsStore } from './connections.store.js';
import { Consents } from './consents.js';
import { DiscoveredProviders, type DiscoveredProvidersParts } from '../discovery/discovered-providers.js';
import { KeptCredentials } from '../kept/kept-credentials.js';
import { ExchangedConnections } from './exchanged-connections.js';
import { Offboarding } from './offboarding.js';
import { ProviderClient } from './provider-client.js';
import { readProviderEntries } from './provider-entries.js';
import { ProviderSecrets } from './provider-secrets.store.js';
import { ProviderSetups } from './provider-setups.js';
import { ProvidersStore } from './providers.store.js';
import { RefreshMetrics } from './refresh-metrics.js';
import { RefreshScheduler } from './refresh-scheduler.js';
import { RefreshStore } from './refresh.store.js';
import { Refresher } from './refresher.js';
import { RestingStore } from './resting.store.js';
import { SealedTokens } from './sealed-tokens.js';
import { SubjectTokens } from './subject-tokens.js';
import { TokenEndings } from './token-endings.store.js';
import { UpstreamAuthsStore } from './upstream-auths.store.js';
import { UpstreamUses } from './upstream-uses.js';

/** Bytes of a provider's answer at most. */
const ANSWER_BYTES_MAX = 262_144;
/** Bytes of metadata, and of the answer to a registration, at most. */
const METADATA_BYTES_MAX = 65_536;
/** Beyond the longest request, until its sender is taken for dead. */
const STALE_MARGIN_MS = 15_000;

/** What the connections stand on. */
interface Ground {
  readonly config: CredentialsConfig;
  readonly host: Host;
  readonly source: DataSource;
  readonly outbox: Outbox;
  readonly secrets: NamedSecrets & SealedValues;
  readonly access: AdminAccess;
}

/** Everything that has to do with connections, made once. */
export class Connections {
  readonly keys: ClientKeys;
  readonly setups: ProviderSetups;
  readonly providerSecrets: ProviderSecrets;
  readonly providers: ProvidersStore;
  readonly auths: UpstreamAuthsStore;
  readonly connections: ConnectionsStore;
  readonly endings: TokenEndings;
  readonly refresher: Refresher;
  readonly consents: Consents;
  readonly kept: KeptCredentials;
  readonly discovered: DiscoveredProviders;
  readonly tokens: ConnectionTokens;
  /** Where leases of connections come from. */
  readonly leases: ConnectionLeaseSource;
  private tellChanged: (id: string) => Promise<void> = async () => {};
  private readonly scheduler: RefreshScheduler;
  private readonly metrics: RefreshMetrics;
  private readonly offboarding: Offboarding;
  private readonly exchanged: ExchangedConnections;
  private readonly passes = new PassKeys('connections');
  private readonly uses = new UpstreamUses();
  private readonly replicas: Replica[] = [];

  constructor(private readonly ground: Ground) {
    const { config, host, source, outbox, secrets, access } = ground;
    const { log } = host;
    const wallMs = (): number => host.clock.wallMs();
    const random = Math.random;
    const { privateHosts, caFile, requestTimeoutMs, refreshesMax, lookEveryMs } = config.connections;
    const ca = caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') };
    const bounds = { timeoutMs: requestTimeoutMs, bytesMax: ANSWER_BYTES_MAX };
    const client = new ProviderClient({ ...bounds, ...ca, privateHosts }, wallMs);
    const states = new ConnectionStates(source, outbox, wallMs);
    const sealed = new SealedTokens(secrets);
    this.keys = clientKeysOf(ground);
    this.setups = new ProviderSetups(readProviderEntries(), secrets, this.keys, wallMs);
    const callbacks = new Callbacks(() => host.door.publicUrl());
    const tellFailed = (error: unknown): void => log.warn({ err: error }, 'a secret is removed later');
    this.providerSecrets = new ProviderSecrets(source, secrets, wallMs, tellFailed);
    this.providers = new ProvidersStore(source, outbox, this.providerSecrets, this.setups, {
      callbacks,
      wallMs,
      onExchange: () => this.exchanged.wake(),
    });
    this.discovered = this.makeDiscovered({ ...ca, callbacks, wallMs });
    this.auths = new UpstreamAuthsStore(source, outbox, this.uses, wallMs);
    this.connections = new ConnectionsStore(states, sealed);
    const { setups, providers, connections } = this;
    this.endings = new TokenEndings({ states, tokens: sealed, setups, client, log, random });
    const store = new RefreshStore(states, sealed, {
      node: host.node,
      staleMs: requestTimeoutMs + STALE_MARGIN_MS,
      random,
      rotates: (provider) => setups.entryOf(provider)?.refresh.rotation !== 'none',
    });
    this.exchanged = new ExchangedConnections(states, log);
    const subjects = new SubjectTokens(states, () => this.tokens);
    const onRefreshed = (id: string): void => void this.tellChanged(id);
    const wait = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
    this.metrics = new RefreshMetrics(
      host,
      () => store.backlog(),
      () => this.refresher.count,
    );
    const { metrics } = this;
    const told = { log, metrics, onRefreshed, subjects };
    this.refresher = new Refresher({ store, setups, client, callbacks, wallMs, random, wait, ...told });
    this.scheduler = new RefreshScheduler({
      store,
      refresher: this.refresher,
      refreshesMax,
      everyMs: lookEveryMs,
      log,
    });
    this.tokens = new ConnectionTokens({ states, tokens: sealed, setups, refresher: this.refresher });
    this.consents = new Consents({ states, tokens: sealed, providers, setups, client, connections, callbacks });
    this.kept = new KeptCredentials({ providers, connections, wallMs });
    this.leases = this.makeLeases();
    const onEnded = (): void => this.endings.wake();
    this.offboarding = new Offboarding({
      directory: access.directory,
      connections,
      resting: new RestingStore(states),
      onEnded,
      log,
    });
  }

  private makeLeases(): ConnectionLeaseSource {
    const { connections, auths, discovered, tokens } = this;
    const { access, host } = this.ground;
    const failed = (connectionId: string, error: unknown): void =>
      host.log.error({ err: error, connectionId }, 'no lease of it');
    return new ConnectionLeaseSource({ connections, auths, discovered, tokens, directory: access.directory, failed });
  }

  private makeDiscovered(given: Pick<DiscoveredProvidersParts, 'ca' | 'callbacks' | 'wallMs'>): DiscoveredProviders {
    const { config, host } = this.ground;
    const { privateHosts, requestTimeoutMs } = config.connections;
    return new DiscoveredProviders({
      ...given,
      timeoutMs: requestTimeoutMs,
      bytesMax: METADATA_BYTES_MAX,
      providers: this.providers,
      uses: this.uses,
      publicUrl: () => host.door.publicUrl(),
      privateHosts,
    });
  }

  /** @param tell - that a connection has another access token now */
  onChanged(tell: (id: string) => Promise<void>): void {
    this.tellChanged = tell;
  }

  /** Publishes every state again, to be called before the topics have their owner. */
  async republish(): Promise<void> {
    await this.auths.republish();
    await this.connections.republish();
  }

  /** Begins to read, to refresh, to end tokens, and to answer browsers. */
  start(): void {
    const { host, config } = this.ground;
    const { bus, log } = host;
    const wallMs = (): number => host.clock.wallMs();
    const reading = [
      bus.replica(signingKeyStateTopic, (id, state) => this.passes.apply(id, state)),
      bus.replica(policySnapshotTopic, (_key, snapshot) => this.uses.apply(snapshot)),
    ];
    for (const replica of reading) {
      replica.then(
        (started) => void this.replicas.push(started),
        (error: unknown) => log.error({ err: error }, 'signing keys and policies cannot be read'),
      );
    }
    this.scheduler.start();
    this.metrics.start();
    this.endings.start(config.connections.lookEveryMs);
    this.offboarding.start();
    this.exchanged.start();
    const { consents, kept, connections, providers, auths, uses, endings, passes, discovered } = this;
    mountGuestPages({
      host,
      access: this.ground.access,
      pepper: config.pepper,
      service: 'credentials',
      passes,
      changesPerMinute: config.connections.changesPerMinute,
      requestsPerMinute: config.connections.requestsPerMinute,
      isReady: () => this.replicas.length === 2 && this.replicas.every((each) => each.isReady()),
      pages: connectionsPages(
        new ConnectionActs({ consents, kept, connections, providers, auths, uses, endings, discovered, wallMs }),
        { publicKeys: () => this.keys.publicKeys(), client: (provider) => discovered.document(provider) },
      ),
    });
    host.onDrain('connections', async () => {
      this.offboarding.stop();
      await this.exchanged.stop();
      this.metrics.stop();
      await this.scheduler.stop();
      await this.endings.stop();
      await Promise.all(this.replicas.map((replica) => replica.stop()));
    });
  }
}

function clientKeysOf({ config, host, source, outbox, secrets }: Ground): ClientKeys {
  const { days, aheadMinutes, overlapMinutes } = config.connections.clientKeys;
  return new ClientKeys({
    secrets,
    record: (action) => source.transaction((manager) => outbox.recordAdminAction(manager, action)),
    turnEveryMs: days * 86_400_000,
    aheadMs: aheadMinutes * 60_000,
    overlapMs: overlapMinutes * 60_000,
    wallMs: () => host.clock.wallMs(),
  });
}

/** What controllers of the connections are given. */
export function connectionsProviders(config: CredentialsConfig, host: Host): NestProvider[] {
  const tell = (error: unknown) => host.log.error({ err: error }, 'the secret store failed');
  const of = <T>(type: Type<T>, pick: (made: Connections) => T): NestProvider => ({
    provide: type,
    inject: [Connections],
    useFactory: pick,
  });
  return [
    {
      provide: Connections,
      inject: [getDataSourceToken('credentials'), Outbox, AdminAccess, SECRETS],
      useFactory: (source: DataSource, outbox: Outbox, access: AdminAccess, store: SecretStore) =>
        new Connections({ config, host, source, outbox, secrets: answering(store, tell), access }),
    },
    of(ClientKeys, ({ keys }) => keys),
    of(ProviderSetups, ({ setups }) => setups),
    of(ProvidersStore, ({ providers }) => providers),
    of(UpstreamAuthsStore, ({ auths }) => auths),
    of(ConnectionsStore, ({ connections }) => connections),
    of(Consents, ({ consents }) => consents),
    of(DiscoveredProviders, ({ discovered }) => discovered),
    of(KeptCredentials, ({ kept }) => kept),
    of(TokenEndings, ({ endings }) => endings),
  ];
}
