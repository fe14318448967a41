import type { Provider } from '@nestjs/common';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { ColdStore } from './archive/cold.store.js';
import { AuditCheckpointConsumer, CHECKPOINT_LOG } from './audit-checkpoint.consumer.js';
import { CheckpointStore } from './checkpoint.store.js';

/**
 * What keeps the signed heads of logs.
 * @param source - token of the service's data source
 */
export function evidenceProviders(host: Host, source: string | symbol | object): Provider[] {
  return [
    {
      provide: CheckpointStore,
      inject: [source as never, ColdStore],
      useFactory: (opened: DataSource, cold: ColdStore | null) =>
        new CheckpointStore(opened, cold ?? undefined, () => host.clock.wallMs()),
    },
    { provide: CHECKPOINT_LOG, useValue: host.log },
    AuditCheckpointConsumer,
  ];
}
