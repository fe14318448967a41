import { type DynamicModule, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { PATTERN_METADATA } from '@nestjs/microservices/constants';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess, adminAccessModule } from '@warder/admin-access';
import type { RawMessage } from '@warder/bus';
import { auditCheckpointTopic, auditDeadLetterTopic, auditRecordedTopic } from '@warder/contracts';
import { databaseModule, Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { archiveProviders, keepingProviders } from './archive/archive.module.js';
import { KeepingLoop } from './archive/keeping-loop.js';
import { KeepingController } from './archive/keeping.controller.js';
import type { AuditConfig } from './audit-config.js';
import { AuditCheckpointConsumer } from './audit-checkpoint.consumer.js';
import { AuditRecordedConsumer, BusBatchStrategy } from './audit-recorded.consumer.js';
import { AUDIT_CLOCK, AuditController } from './audit.controller.js';
import { EvidenceController } from './evidence.controller.js';
import { evidenceProviders } from './evidence.module.js';
import { ExportController } from './export.controller.js';
import { Exporters } from './exporters/exporters.js';
import { ExportersController } from './exporters/exporters.controller.js';
import { ExportersStore } from './exporters/exporters.store.js';
import { Ingest } from './ingest.js';
import { CreateArchive1790000002100 } from './migrations/create-archive.js';
import { CreateAudit1790000002000 } from './migrations/create-audit.js';
import { CreateCheckpoints1790000002500 } from './migrations/create-checkpoints.js';
import { FoldUsage1790000002700 } from './migrations/fold-usage.js';
import { NameSubjects1790000002800 } from './migrations/name-subjects.js';
import { OcsfTopic } from './ocsf-topic.js';
import { PartitionStore } from './partition.store.js';
import { queryProviders } from './query.module.js';
import { RecordStore } from './record.store.js';
import { AUDIT_MCP_PATH, auditMcp } from './mcp/audit-mcp.js';
import { CallStore } from './call.store.js';
import { QueryLog } from './query-log.js';

const HOST = Symbol('audit host');
const REFUSED = Symbol('what the door of audit refused');
const MCP = Symbol('the MCP server of the audit service');
const CONSUMERS = Symbol('consumers of the audit service');
const GROUP = 'store';

/** Starts what the service does without being asked: keeps the partitions and consumes the topic. */
class AuditStart implements OnApplicationBootstrap {
  private isConsuming = false;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(KeepingLoop) private readonly keeping: KeepingLoop,
    @Inject(CONSUMERS) private readonly consumers: readonly object[],
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Exporters) private readonly exporters: Exporters,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { host } = this;
    // A store that is away does not make the process unready: the topic keeps the records, and queries say 503.
    host.readiness('records', () => this.isConsuming || 'the audit topic is not consumed yet');
    this.outbox.start();
    host.onDrain('outbox', () => this.outbox.stop());
    await this.keeping.start();
    host.onDrain('keeping', () => this.keeping.stop());
    await host.bus.ensureTopics([auditRecordedTopic, auditCheckpointTopic, auditDeadLetterTopic]);
    const strategy = new BusBatchStrategy(host.bus, [auditRecordedTopic, auditCheckpointTopic], GROUP);
    for (const consumer of this.consumers) addHandlers(strategy, consumer);
    host.onDrain('consumer', () => strategy.close());
    await strategy.listen((error) => {
      this.isConsuming = error === undefined;
      if (error !== undefined) host.log.error({ err: error }, 'the audit topic cannot be consumed');
    });
    host.onDrain('exporters', () => this.exporters.stop());
    await this.exporters.start();
  }
}

/**
 * Hands the methods that carry a pattern to the transport. `app.connectMicroservice({ strategy })` does the same for
 * every controller of the process, and is not used for three reasons. Its proxy catches what a handler throws, logs the
 * error as it is (a query's error carries the records that it could not store) and answers an Observable of
 * `{ status: 'error' }`: a batch that was not stored would look committed. In standalone the process is of all services,
 * so a strategy of one would be given the handlers of all. And it starts with the application, where this consumer must
 * wait for migrations and partitions, and stop as a drain, before the database closes.
 */
function addHandlers(strategy: BusBatchStrategy, consumer: object): void {
  const methods = consumer as Record<string, (batch: readonly RawMessage[]) => Promise<void>>;
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(consumer))) {
    const patterns = Reflect.getMetadata(PATTERN_METADATA, methods[name]!) as string[] | undefined;
    for (const pattern of patterns ?? []) strategy.addHandler(pattern, (batch) => methods[name]!(batch), true);
  }
}

const EVERY_CONSUMER = {
  provide: CONSUMERS,
  inject: [AuditRecordedConsumer, AuditCheckpointConsumer],
  useFactory: (...consumers: object[]) => consumers,
};

/** Holder of the dynamic module that `auditModule` makes. */
@Module({})
export class AuditModule {}

/** The audit service: its database, its consumer, its admin door. */
export function auditModule(config: AuditConfig, host: Host): DynamicModule {
  const source = getDataSourceToken('audit');
  return {
    module: AuditModule,
    imports: [
      databaseModule('audit', config.database.url, {
        entities: [],
        migrations: [
          CreateAudit1790000002000,
          CreateArchive1790000002100,
          CreateCheckpoints1790000002500,
          FoldUsage1790000002700,
          NameSubjects1790000002800,
        ],
      }),
      adminAccessModule(host, { pepper: config.pepper }),
    ],
    controllers: [AuditController, EvidenceController, ExportController, ExportersController, KeepingController],
    providers: [
      { provide: HOST, useValue: host },
      { provide: AUDIT_CLOCK, useValue: host.clock },
      {
        provide: RecordStore,
        inject: [source],
        useFactory: (opened: DataSource) => new RecordStore(opened, host.bus, () => host.clock.wallMs()),
      },
      ...queryProviders(config, host, source),
      {
        provide: PartitionStore,
        inject: [source],
        useFactory: (opened: DataSource) => new PartitionStore(opened),
      },
      {
        provide: Outbox,
        useFactory: () => new Outbox(host, { service: 'audit', url: config.database.url, topics: [] }),
      },
      ...archiveProviders(config, host, source),
      ...keepingProviders(config, host, source),
      {
        provide: Ingest,
        inject: [RecordStore],
        useFactory: (store: RecordStore) => new Ingest(store, host.log, host.metrics),
      },
      { provide: Exporters, useFactory: () => new Exporters(config.exporters, host) },
      {
        provide: ExportersStore,
        inject: [Exporters, source, Outbox],
        useFactory: (exporters: Exporters, opened: DataSource, outbox: Outbox) =>
          new ExportersStore(exporters, opened, outbox),
      },
      { provide: OcsfTopic, useFactory: () => new OcsfTopic(host, config.publishOcsf) },
      ...evidenceProviders(host, source),
      AuditRecordedConsumer,
      EVERY_CONSUMER,
      {
        provide: REFUSED,
        inject: [AdminAccess, source, Outbox],
        useFactory: ({ refused }: AdminAccess, db: DataSource, outbox: Outbox) =>
          refused.writeTo('audit', (action) => db.transaction((manager) => outbox.recordAdminAction(manager, action))),
      },
      {
        provide: MCP,
        inject: [CallStore, QueryLog, AdminAccess],
        useFactory: (store: CallStore, queries: QueryLog, access: AdminAccess) =>
          mountMcp(config, host, { store, log: queries, directory: access.directory }),
      },
      AuditStart,
    ],
  };
}

/** Answers auditors' agents, where the configuration says with which key ingress asks for them. */
function mountMcp(
  config: AuditConfig,
  host: Host,
  { store, log, directory }: { store: CallStore; log: QueryLog; directory: AdminAccess['directory'] },
): void {
  if (config.mcpKey === undefined) return;
  const handler = auditMcp({
    store,
    log,
    clock: host.clock,
    key: config.mcpKey,
    principalById: (id) => directory.principalById(id),
    onBug: (error) => host.log.error({ err: error }, 'a question over MCP failed for a reason that is a bug'),
  });
  host.mountInternal(AUDIT_MCP_PATH, handler);
}
