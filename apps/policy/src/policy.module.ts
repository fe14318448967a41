import { type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess, adminAccessModule } from '@warder/admin-access';
import { policySnapshotTopic, toolDefinitionDiscoveredTopic, toolDefinitionVerdictTopic } from '@warder/contracts';
import { databaseModule, Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { DiscoveredTools } from './discovered-tools.js';
import { Explainer } from './explainer.js';
import { CreatePolicy1790000001000 } from './migrations/create-policy.js';
import { PolicyAdministration } from './policy-administration.js';
import type { PolicyConfig } from './policy-config.js';
import { PolicyController } from './policy.controller.js';
import { PolicyVersion } from './policy-version.entity.js';
import { PolicyStore } from './policy.store.js';

const HOST = Symbol('policy host');
const REFUSED = Symbol('what the door of policy refused');

/** Starts what the service does without being asked: publishes its policy and follows what is discovered. */
class PolicyStart implements OnModuleInit {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(PolicyAdministration) private readonly administration: PolicyAdministration,
    @Inject(DiscoveredTools) private readonly discovered: DiscoveredTools,
  ) {}

  async onModuleInit(): Promise<void> {
    const { host } = this;
    await host.bus.ensureTopics([policySnapshotTopic, toolDefinitionDiscoveredTopic, toolDefinitionVerdictTopic]);
    await this.administration.start();
    host.enrolment?.onRotated(() => this.administration.republish());
    this.outbox.start();
    host.onDrain('outbox', () => this.outbox.stop());
    const replica = await host.bus.replica(toolDefinitionDiscoveredTopic, (upstream, catalogue) =>
      this.discovered.apply(upstream, catalogue),
    );
    const verdicts = await host.bus.replica(toolDefinitionVerdictTopic, (upstream, value) =>
      this.discovered.applyVerdicts(upstream, value),
    );
    host.onDrain('discovered tools', async () => void (await Promise.all([replica.stop(), verdicts.stop()])));
    // Not waited for: while the bus is away administration goes on, and changes stay in the outbox.
    this.administration
      .own()
      .catch((error: unknown) => host.log.error({ err: error }, 'the policy topic has no owner'));
  }
}

/** Holder of the dynamic module that `policyModule` makes. */
@Module({})
export class PolicyModule {}

/** The policy service: its database, its admin door, its topic. */
export function policyModule(config: PolicyConfig, host: Host): DynamicModule {
  const wallMs = () => host.clock.wallMs();
  const topics = [policySnapshotTopic];
  return {
    module: PolicyModule,
    imports: [
      databaseModule('policy', config.database.url, {
        entities: [PolicyVersion],
        migrations: [CreatePolicy1790000001000],
      }),
      adminAccessModule(host, { pepper: config.pepper }),
    ],
    controllers: [PolicyController],
    providers: [
      { provide: HOST, useValue: host },
      DiscoveredTools,
      { provide: Outbox, useFactory: () => new Outbox(host, { service: 'policy', url: config.database.url, topics }) },
      {
        provide: PolicyStore,
        inject: [getDataSourceToken('policy'), Outbox],
        useFactory: (source: DataSource, outbox: Outbox) =>
          new PolicyStore(source, outbox, wallMs, config.versionsKept),
      },
      {
        provide: PolicyAdministration,
        inject: [PolicyStore, Outbox],
        useFactory: (store: PolicyStore, outbox: Outbox) =>
          new PolicyAdministration(store, outbox, host.bus, config.policyFile),
      },
      {
        provide: Explainer,
        inject: [PolicyAdministration, DiscoveredTools, AdminAccess],
        useFactory: (administration: PolicyAdministration, discovered: DiscoveredTools, access: AdminAccess) =>
          new Explainer(() => administration.current(), discovered, access.directory, wallMs),
      },
      {
        provide: REFUSED,
        inject: [AdminAccess, getDataSourceToken('policy'), Outbox],
        useFactory: ({ refused }: AdminAccess, source: DataSource, outbox: Outbox) =>
          refused.writeTo('policy', (action) =>
            source.transaction((manager) => outbox.recordAdminAction(manager, action)),
          ),
      },
      PolicyStart,
    ],
  };
}
