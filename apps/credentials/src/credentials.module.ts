import { type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess, adminAccessModule } from '@warder/admin-access';
import { connectionStateTopic } from '@warder/contracts';
import { databaseModule, Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { CredentialsConfig } from './credentials-config.js';
import { CreateCredentials1790000001000 } from './migrations/create-credentials.js';
import { openSecretStore } from './open-secret-store.js';
import { StaticCredential } from './static-credential.entity.js';
import { StaticCredentialsController } from './static-credentials.controller.js';
import { StaticCredentialsStore } from './static-credentials.store.js';

const HOST = Symbol('credentials host');
const REFUSED = Symbol('what the door of credentials refused');

/** Starts what the service does without being asked: publishes the state of its connections. */
class CredentialsStart implements OnModuleInit {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(StaticCredentialsStore) private readonly store: StaticCredentialsStore,
  ) {}

  async onModuleInit(): Promise<void> {
    const { host, outbox } = this;
    await host.bus.ensureTopics([connectionStateTopic]);
    await this.store.republish();
    outbox.start();
    host.onDrain('outbox', () => outbox.stop());
    // Not waited for: while the bus is away administration goes on, and changes stay in the outbox.
    outbox
      .drained([connectionStateTopic])
      .then(() => host.bus.own(connectionStateTopic))
      .catch((error: unknown) => host.log.error({ err: error }, 'the connection topic has no owner'));
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
  const secrets = openSecretStore(config.secrets, (error) => host.log.error({ err: error }, 'the secret store failed'));
  const topics = [connectionStateTopic];
  return {
    module: CredentialsModule,
    imports: [
      databaseModule('credentials', config.database.url, {
        entities: [StaticCredential],
        migrations: [CreateCredentials1790000001000],
      }),
      adminAccessModule(host, { pepper: config.pepper }),
    ],
    controllers: [StaticCredentialsController],
    providers: [
      { provide: HOST, useValue: host },
      {
        provide: Outbox,
        useFactory: () => new Outbox(host, { service: 'credentials', url: config.database.url, topics }),
      },
      {
        provide: StaticCredentialsStore,
        inject: [getDataSourceToken('credentials'), Outbox],
        useFactory: (source: DataSource, outbox: Outbox) =>
          new StaticCredentialsStore(source, outbox, secrets, () => host.clock.wallMs()),
      },
      {
        provide: REFUSED,
        inject: [AdminAccess, getDataSourceToken('credentials'), Outbox],
        useFactory: ({ refused }: AdminAccess, source: DataSource, outbox: Outbox) =>
          refused.writeTo('credentials', (action) =>
            source.transaction((manager) => outbox.recordAdminAction(manager, action)),
          ),
      },
      CredentialsStart,
    ],
  };
}
