import type { Provider } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess } from '@warder/admin-access';
import { Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { GuardrailsConfig } from '../guardrails-config.js';
import { ApprovalsStart } from './approvals-start.js';
import { ApprovalsStore } from './approvals.store.js';

/** What keeps, answers and shows approvals. */
export function approvalsProviders(config: GuardrailsConfig, host: Host): Provider[] {
  const statuses = host.metrics.counter('warder_approvals_total', 'Approvals, by what became of them', ['status']);
  return [
    {
      provide: ApprovalsStore,
      inject: [getDataSourceToken('guardrails'), Outbox, AdminAccess],
      useFactory: (source: DataSource, outbox: Outbox, { directory }: AdminAccess) =>
        new ApprovalsStore({
          source,
          outbox,
          people: (id) => directory.principalById(id),
          bounds: config.approvals,
          wallMs: () => host.clock.wallMs(),
          onStatus: (status) => statuses.inc({ status }),
        }),
    },
    {
      provide: ApprovalsStart,
      inject: [ApprovalsStore, AdminAccess],
      useFactory: (store: ApprovalsStore, access: AdminAccess) => new ApprovalsStart(config, host, store, access),
    },
  ];
}
