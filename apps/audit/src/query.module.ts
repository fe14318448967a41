import type { FactoryProvider } from '@nestjs/common';
import type { getDataSourceToken } from '@nestjs/typeorm';
import { Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { ColdStore } from './archive/cold.store.js';
import type { AuditConfig } from './audit-config.js';
import { BulkExports } from './bulk-exports.js';
import { CallPages } from './call-pages.store.js';
import { CallStore } from './call.store.js';
import { QueryLog } from './query-log.js';
import { TextIndexStore } from './text-index.store.js';

/** What answers questions about records and puts them on record, over the data source `source`. */
export function queryProviders(
  config: AuditConfig,
  host: Host,
  source: ReturnType<typeof getDataSourceToken>,
): FactoryProvider[] {
  return [
    {
      provide: QueryLog,
      inject: [source, Outbox],
      useFactory: (opened: DataSource, outbox: Outbox) =>
        new QueryLog(
          (action) => opened.transaction((manager) => outbox.recordAdminAction(manager, action)),
          (error) => host.log.error({ err: error }, 'the end of an export could not be put on record'),
        ),
    },
    {
      provide: BulkExports,
      inject: [QueryLog],
      useFactory: (log: QueryLog) =>
        new BulkExports(log, (error) => host.log.error({ err: error }, 'an export broke off')),
    },
    {
      provide: CallPages,
      inject: [source, TextIndexStore, ColdStore],
      useFactory: (opened: DataSource, textIndex: TextIndexStore, cold: ColdStore | null) =>
        new CallPages({ source: opened, textIndex, cold: cold ?? undefined, scanRowsMax: config.scanRowsMax }),
    },
    {
      provide: CallStore,
      inject: [source, CallPages, ColdStore],
      useFactory: (opened: DataSource, pages: CallPages, cold: ColdStore | null) =>
        new CallStore(opened, pages, cold ?? undefined),
    },
  ];
}
