import type { FactoryProvider } from '@nestjs/common';
import { Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { AuditConfig } from '../audit-config.js';
import { PartitionStore } from '../partition.store.js';
import { ArchiveStore } from './archive.store.js';
import { ColdStore } from './cold.store.js';
import { Duck } from './duck.js';
import { ErasureStore } from './erasure.store.js';
import { Keeping } from './keeping.store.js';
import { KeepingLoop } from './keeping-loop.js';
import { ARCHIVE } from './keeping.controller.js';
import { LegalHoldStore } from './legal-hold.store.js';

/** Two of them, so that a question does not wait for a day that is being written. */
interface Ducks {
  readonly writing: Duck;
  readonly asking: Duck;
}

const DUCKS = Symbol('ducks of the archive');

/** What keeps records and answers from the archive: injectable parts over the data source `source`. */
export function archiveProviders(config: AuditConfig, host: Host, source: string | symbol | object): FactoryProvider[] {
  const wallMs = (): number => host.clock.wallMs();
  const { archive } = config;
  return [
    {
      provide: DUCKS,
      useFactory: async (): Promise<Ducks | null> => {
        if (archive === undefined) return null;
        const ducks = { writing: await Duck.open(archive), asking: await Duck.open(archive) };
        host.onDrain('archive', async () => {
          ducks.writing.close();
          ducks.asking.close();
        });
        return ducks;
      },
    },
    {
      provide: ARCHIVE,
      inject: [source as never, DUCKS],
      useFactory: (opened: DataSource, ducks: Ducks | null) =>
        ducks === null ? null : new ArchiveStore(opened, ducks.writing, archive!),
    },
    {
      provide: ColdStore,
      inject: [ARCHIVE, DUCKS],
      useFactory: (store: ArchiveStore | null, ducks: Ducks | null) =>
        store === null ? null : new ColdStore(store, ducks!.asking),
    },
    {
      provide: LegalHoldStore,
      inject: [source as never, Outbox],
      useFactory: (opened: DataSource, outbox: Outbox) => new LegalHoldStore(opened, outbox, wallMs),
    },
    {
      provide: ErasureStore,
      inject: [source as never, Outbox, LegalHoldStore],
      useFactory: (opened: DataSource, outbox: Outbox, holds: LegalHoldStore) =>
        new ErasureStore(opened, outbox, holds, wallMs),
    },
    {
      provide: KeepingLoop,
      inject: [source as never, PartitionStore, LegalHoldStore, ErasureStore, ARCHIVE],
      useFactory: (
        opened: DataSource,
        partitions: PartitionStore,
        holds: LegalHoldStore,
        erasures: ErasureStore,
        store: ArchiveStore | null,
      ) => {
        const keeping = new Keeping({
          source: opened,
          partitions,
          holds,
          erasures,
          archive: store ?? undefined,
          retentionDays: config.retentionDays,
          archiveRetentionDays: archive?.retentionDays ?? config.retentionDays,
          log: host.log,
        });
        return new KeepingLoop(keeping, wallMs, host.log);
      },
    },
  ];
}
