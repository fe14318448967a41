import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess, adminAccessModule } from '@warder/admin-access';
import {
  connectionStateTopic,
  leaseGrantedTopic,
  leaseRequestedTopic,
  nodeAnnouncedTopic,
  nodeEnrolledTopic,
  upstreamAuthStateTopic,
} from '@warder/contracts';
import { databaseModule, Outbox } from '@warder/postgres';
import type { SecretStore } from '@warder/secrets';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { ClientKeysController } from './client-keys/client-keys.controller.js';
import { Connection } from './connections/connection.entity.js';
import { ConnectionsController, OwnConnectionsController } from './connections/connections.controller.js';
import { Connections, connectionsProviders } from './connections/connections.module.js';
import { Provider } from './connections/provider.entity.js';
import { ProvidersController } from './connections/providers.controller.js';
import { UpstreamAuth } from './connections/upstream-auth.entity.js';
import type { CredentialsConfig } from './credentials-config.js';
import { BindAttempts1790000075000 } from './migrations/bind-attempts.js';
import { CreateConnections1790000050000 } from './migrations/create-connections.js';
import { CreateCredentials1790000001000 } from './migrations/create-credentials.js';
import { CreateNodes1790000001050 } from './migrations/create-nodes.js';
import { ExchangeTokens1790000090000 } from './migrations/exchange-tokens.js';
import { DiscoverProviders1790000091000 } from './migrations/discover-providers.js';
import { KindsOfTlsAndAws1790000110000 } from './migrations/kinds-of-tls-and-aws.js';
import { MoreKinds1790000071000 } from './migrations/more-kinds.js';
import { NameProviderSecrets1790000076000 } from './migrations/name-provider-secrets.js';
import { NameCertifiers1790000095000 } from './migrations/name-certifiers.js';
import { NameServicesOfNodes1790000077000 } from './migrations/name-services-of-nodes.js';
import { NameSealedColumns1790000060000 } from './migrations/name-sealed-columns.js';
import { type GivenJoinToken, givenJoinTokens } from './nodes/given-join-tokens.js';
import { JoinToken } from './nodes/join-token.entity.js';
import { NodeIdentity } from './nodes/node.entity.js';
import { NodesController } from './nodes/nodes.controller.js';
import { NodesStore } from './nodes/nodes.store.js';
import { startDelivery } from './leases/start-delivery.js';
import { sealAnew } from './seal-anew.js';
import { openServiceSecrets, SECRETS } from './service-secrets.js';
import { ProviderCredentialsController } from './provider-credentials.controller.js';
import { StaticCredential } from './static-credential.entity.js';
import { StaticCredentialsController } from './static-credentials.controller.js';
import { StaticCredentialsStore } from './static-credentials.store.js';

const HOST = Symbol('credentials host');
const REFUSED = Symbol('what the door of credentials refused');
const DAY_MS = 86_400_000;
const DELIVERY = Symbol('what credentials delivers');

const OWNED = [connectionStateTopic, upstreamAuthStateTopic, nodeEnrolledTopic];
const TOPICS = [...OWNED, leaseGrantedTopic, leaseRequestedTopic, nodeAnnouncedTopic];

const MIGRATIONS = [
  CreateCredentials1790000001000,
  CreateNodes1790000001050,
  CreateConnections1790000050000,
  NameSealedColumns1790000060000,
  MoreKinds1790000071000,
  BindAttempts1790000075000,
  NameProviderSecrets1790000076000,
  NameServicesOfNodes1790000077000,
  ExchangeTokens1790000090000,
  DiscoverProviders1790000091000,
  NameCertifiers1790000095000,
  KindsOfTlsAndAws1790000110000,
];

/** What is delivered to nodes, and to which. */
interface Delivery {
  readonly secrets: SecretStore;
  readonly refused: AdminAccess['refused'];
  readonly joinTokens: readonly GivenJoinToken[];
  readonly leaseMs: number;
  /** To accounts, whose tokens are leased too. */
  readonly connections: Connections;
}

/** Starts what the service does without being asked: publishes its state, and answers nodes. */
class CredentialsStart implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(StaticCredentialsStore) private readonly store: StaticCredentialsStore,
    @Inject(NodesStore) private readonly nodes: NodesStore,
    @Inject(DELIVERY) private readonly delivery: Delivery,
  ) {}

  async onModuleInit(): Promise<void> {
    const { host, outbox, store, nodes } = this;
    await host.bus.ensureTopics(TOPICS);
    await nodes.takeGivenTokens(this.delivery.joinTokens);
    await store.republish();
    await nodes.republish();
    await this.delivery.connections.republish();
    outbox.start();
    host.onDrain('outbox', () => outbox.stop());
    const { connections } = this.delivery;
    const tellChanged = await startDelivery(host, { nodes, sources: [connections.leases], ...this.delivery });
    store.onChanged(tellChanged);
    connections.onChanged(tellChanged);
    // Not waited for: while the bus is away administration goes on, and changes stay in the outbox.
    for (const topic of OWNED) {
      outbox
        .drained([topic])
        .then(() => host.bus.own(topic))
        .catch((error: unknown) => host.log.error({ err: error, topic: topic.name }, 'a topic has no owner'));
    }
  }

  onApplicationBootstrap(): void {
    this.delivery.connections.start();
  }
}

/** Tidies the secret store now and whenever it is back, beside everything else. */
class SecretsStart implements OnModuleInit {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(SECRETS) private readonly secrets: SecretStore,
    @Inject(StaticCredentialsStore) private readonly store: StaticCredentialsStore,
    @Inject(Connections) private readonly connections: Connections,
    @Inject(getDataSourceToken('credentials')) private readonly source: DataSource,
  ) {}

  onModuleInit(): void {
    const { host, secrets, store, connections, source } = this;
    const query = (sql: string, parameters: readonly unknown[]) => source.query(sql, [...parameters]);
    const stop = new AbortController();
    const tidy = async (): Promise<void> => {
      await store.removeLeftBehind();
      await connections.providerSecrets.removeUnnamed();
      await sealAnew(secrets, query, { host, signal: stop.signal });
    };
    let tidying = Promise.resolve();
    const start = () => {
      tidying = tidying.then(tidy).catch((error: unknown) => {
        if (!stop.signal.aborted) host.log.warn({ err: error }, 'secrets could not be tidied up');
      });
    };
    secrets.onStateChange(({ state }) => state === 'ok' && start());
    host.onDrain('tidying', async () => {
      stop.abort();
      await tidying;
    });
    start();
  }
}

/** Holder of the dynamic module that `credentialsModule` makes. */
@Module({})
export class CredentialsModule {}

/**
 * The credentials service: its database, its secret store, its admin door, its topic.
 * @throws ConfigError when the keyring cannot be used
 */
export function credentialsModule(config: CredentialsConfig, host: Host): DynamicModule {
  const tell = (error: unknown) => host.log.error({ err: error }, 'the secret store failed');
  const joinTokens = givenJoinTokens(config.nodes.joinTokensDir);
  return {
    module: CredentialsModule,
    imports: [
      databaseModule('credentials', config.database.url, {
        entities: [StaticCredential, NodeIdentity, JoinToken, Provider, UpstreamAuth, Connection],
        migrations: MIGRATIONS,
      }),
      adminAccessModule(host, { pepper: config.pepper }),
    ],
    controllers: [
      StaticCredentialsController,
      ProviderCredentialsController,
      NodesController,
      ProvidersController,
      ClientKeysController,
      ConnectionsController,
      OwnConnectionsController,
    ],
    providers: [
      { provide: HOST, useValue: host },
      {
        provide: Outbox,
        useFactory: () => new Outbox(host, { service: 'credentials', url: config.database.url, topics: OWNED }),
      },
      { provide: SECRETS, useFactory: () => openServiceSecrets(config.secrets, host) },
      {
        provide: StaticCredentialsStore,
        inject: [getDataSourceToken('credentials'), Outbox, SECRETS],
        useFactory: (source: DataSource, outbox: Outbox, secrets: SecretStore) =>
          new StaticCredentialsStore(source, outbox, secrets, () => host.clock.wallMs(), tell),
      },
      {
        provide: NodesStore,
        inject: [getDataSourceToken('credentials'), Outbox],
        useFactory: (source: DataSource, outbox: Outbox) => {
          const identityMs = config.nodes.identityDays * DAY_MS;
          const rules = { identityMs, registrarKey: host.signingKey };
          return new NodesStore(source, outbox, rules, () => host.clock.wallMs());
        },
      },
      {
        provide: DELIVERY,
        inject: [AdminAccess, Connections, SECRETS],
        useFactory: ({ refused }: AdminAccess, connections: Connections, secrets: SecretStore): Delivery => ({
          connections,
          secrets,
          refused,
          joinTokens,
          leaseMs: config.leases.secondsMax * 1_000,
        }),
      },
      {
        provide: REFUSED,
        inject: [AdminAccess, getDataSourceToken('credentials'), Outbox],
        useFactory: ({ refused }: AdminAccess, source: DataSource, outbox: Outbox) =>
          refused.writeTo('credentials', (action) =>
            source.transaction((manager) => outbox.recordAdminAction(manager, action)),
          ),
      },
      ...connectionsProviders(config, host),
      CredentialsStart,
      SecretsStart,
    ],
  };
}
