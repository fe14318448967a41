import { type DynamicModule, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { PATTERN_METADATA } from '@nestjs/microservices/constants';
import { getDataSourceToken } from '@nestjs/typeorm';
import { adminAccessModule } from '@warder/admin-access';
import { auditDeadLetterTopic, auditRecordedTopic } from '@warder/contracts';
import { databaseModule, Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { AuditConfig } from './audit-config.js';
import { AuditRecordedConsumer, BusBatchStrategy } from './audit-recorded.consumer.js';
import { AUDIT_CLOCK, AuditController } from './audit.controller.js';
import { CallStore } from './call.store.js';
import { Exporters } from './exporters/exporters.js';
import { ExportersController } from './exporters/exporters.controller.js';
import { ExportersStore } from './exporters/exporters.store.js';
import { Ingest } from './ingest.js';
import { CreateAudit1790000002000 } from './migrations/create-audit.js';
import { PartitionStore } from './partition.store.js';
import { QueryLog } from './query-log.js';
import { RecordStore } from './record.store.js';

const HOST = Symbol('audit host');
const GROUP = 'store';
const MAINTAIN_EVERY_MS = 3_600_000;

/** Starts what the service does without being asked: keeps the partitions and consumes the topic. */
class AuditStart implements OnApplicationBootstrap {
  private isConsuming = false;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(PartitionStore) private readonly partitions: PartitionStore,
    @Inject(AuditRecordedConsumer) private readonly consumer: AuditRecordedConsumer,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Exporters) private readonly exporters: Exporters,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { host } = this;
    // A store that is away does not make the process unready: the topic keeps the records, and queries say 503.
    host.readiness('records', () => this.isConsuming || 'the audit topic is not consumed yet');
    await this.maintain();
    const timer = setInterval(() => void this.maintain(), MAINTAIN_EVERY_MS);
    host.onDrain('partitions', async () => clearInterval(timer));
    this.outbox.start();
    host.onDrain('outbox', () => this.outbox.stop());
    await host.bus.ensureTopics([auditRecordedTopic, auditDeadLetterTopic]);
    const strategy = new BusBatchStrategy(host.bus, [auditRecordedTopic], GROUP);
    addHandlers(strategy, this.consumer);
    host.onDrain('consumer', () => strategy.close());
    await strategy.listen((error) => {
      this.isConsuming = error === undefined;
      if (error !== undefined) host.log.error({ err: error }, 'the audit topic cannot be consumed');
    });
    host.onDrain('exporters', () => this.exporters.stop());
    await this.exporters.start();
  }

  private async maintain(): Promise<void> {
    try {
      const failed = await this.partitions.maintain(this.host.clock.wallMs());
      if (failed.length > 0)
        this.host.log.warn({ days: failed }, 'records of these days stay in the default partition');
    } catch (error) {
      this.host.log.error({ err: error }, 'the partitions of the audit store are not maintained');
    }
  }
}

/** What Nest does for a microservice of its own: hands the methods that carry a pattern to the transport. */
function addHandlers(strategy: BusBatchStrategy, consumer: AuditRecordedConsumer): void {
  const methods = Object.getOwnPropertyNames(AuditRecordedConsumer.prototype) as (keyof AuditRecordedConsumer)[];
  for (const method of methods) {
    const patterns = Reflect.getMetadata(PATTERN_METADATA, consumer[method]) as string[] | undefined;
    for (const pattern of patterns ?? []) {
      strategy.addHandler(pattern, (batch) => consumer[method](batch), true);
    }
  }
}

/** Holder of the dynamic module that `auditModule` makes. */
@Module({})
export class AuditModule {}

/** The audit service: its database, its consumer, its admin door. */
export function auditModule(config: AuditConfig, host: Host): DynamicModule {
  const source = getDataSourceToken('audit');
  return {
    module: AuditModule,
    imports: [
      databaseModule('audit', config.database.url, { entities: [], migrations: [CreateAudit1790000002000] }),
      adminAccessModule(host, { pepper: config.pepper }),
    ],
    controllers: [AuditController, ExportersController],
    providers: [
      { provide: HOST, useValue: host },
      { provide: AUDIT_CLOCK, useValue: host.clock },
      {
        provide: RecordStore,
        inject: [source],
        useFactory: (opened: DataSource) => new RecordStore(opened, host.bus, () => host.clock.wallMs()),
      },
      {
        provide: QueryLog,
        inject: [source, Outbox],
        useFactory: (opened: DataSource, outbox: Outbox) =>
          new QueryLog((action) => opened.transaction((manager) => outbox.recordAdminAction(manager, action))),
      },
      { provide: CallStore, inject: [source], useFactory: (opened: DataSource) => new CallStore(opened) },
      {
        provide: PartitionStore,
        inject: [source],
        useFactory: (opened: DataSource) => new PartitionStore(opened, config.retentionDays),
      },
      {
        provide: Ingest,
        inject: [RecordStore],
        useFactory: (store: RecordStore) => new Ingest(store, host.log, host.metrics),
      },
      {
        provide: Outbox,
        useFactory: () => new Outbox(host, { service: 'audit', url: config.database.url, topics: [] }),
      },
      { provide: Exporters, useFactory: () => new Exporters(config.exporters, host) },
      {
        provide: ExportersStore,
        inject: [Exporters, source, Outbox],
        useFactory: (exporters: Exporters, opened: DataSource, outbox: Outbox) =>
          new ExportersStore(exporters, opened, outbox),
      },
      AuditRecordedConsumer,
      AuditStart,
    ],
  };
}
