import type { FactoryProvider } from '@nestjs/common';
import type { getDataSourceToken } from '@nestjs/typeorm';
import { Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { AuditConfig } from '../audit-config.js';
import { PartitionStore } from '../partition.store.js';
import { openPatientSource } from '../patient-source.store.js';
import { TextIndexStore } from '../text-index.store.js';
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
const PATIENT = Symbol('patient data source');

type Source = ReturnType<typeof getDataSourceToken>;

/** The archive and what reads it, over the data source `source`. */
export function archiveProviders(config: AuditConfig, host: Host, source: Source): FactoryProvider[] {
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
      provide: PATIENT,
      // After the service's own source, whose migrations make the schema.
      inject: [source],
      useFactory: async (): Promise<DataSource> => {
        const patient = await openPatientSource(config.database.url);
        host.onDrain('keeping database', () => patient.destroy());
        return patient;
      },
    },
    {
      provide: TextIndexStore,
      inject: [source, PATIENT],
      useFactory: (opened: DataSource, patient: DataSource) => new TextIndexStore(opened, patient),
    },
    {
      provide: ARCHIVE,
      inject: [PATIENT, DUCKS],
      useFactory: (opened: DataSource, ducks: Ducks | null) =>
        ducks === null ? null : new ArchiveStore(opened, ducks.writing, archive!),
    },
    {
      provide: ColdStore,
      inject: [ARCHIVE, DUCKS],
      useFactory: (store: ArchiveStore | null, ducks: Ducks | null) =>
        store === null ? null : new ColdStore(store, ducks!.asking),
    },
  ];
}

/** What decides how long records are kept, over the parts of `archiveProviders`. */
export function keepingProviders(config: AuditConfig, host: Host, source: Source): FactoryProvider[] {
  const wallMs = (): number => host.clock.wallMs();
  return [
    {
      provide: LegalHoldStore,
      inject: [source, Outbox],
      useFactory: (opened: DataSource, outbox: Outbox) => new LegalHoldStore(opened, outbox, wallMs),
    },
    {
      provide: ErasureStore,
      inject: [source, Outbox, LegalHoldStore],
      useFactory: (opened: DataSource, outbox: Outbox, holds: LegalHoldStore) =>
        new ErasureStore(opened, outbox, holds, wallMs),
    },
    {
      provide: KeepingLoop,
      inject: [PATIENT, PartitionStore, TextIndexStore, LegalHoldStore, ErasureStore, ARCHIVE],
      useFactory: (
        patient: DataSource,
        partitions: PartitionStore,
        textIndex: TextIndexStore,
        holds: LegalHoldStore,
        erasures: ErasureStore,
        store: ArchiveStore | null,
      ) => {
        const keeping = new Keeping({
          source: patient,
          partitions,
          textIndex,
          holds,
          erasures,
          archive: store ?? undefined,
          retentionDays: config.retentionDays,
          archiveRetentionDays: config.archive?.retentionDays ?? config.retentionDays,
          log: host.log,
        });
        return new KeepingLoop(keeping, wallMs, host.log);
      },
    },
  ];
}
