import type { OnApplicationBootstrap, Provider } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess } from '@warder/admin-access';
import type { Replica } from '@warder/bus';
import { approvalRequestedTopic, signingKeyStateTopic } from '@warder/contracts';
import { mountGuestPages, PassKeys } from '@warder/pages';
import { Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { GuardrailsConfig } from '../guardrails-config.js';
import { approvalsPages } from './approvals-door.js';
import { NoticesStore } from '../notices/notices.store.js';
import { ApprovalsReader } from './approvals-reader.store.js';
import { ApprovalsStore } from './approvals.store.js';

/** Answers held calls, and ends what nobody decided in time. */
class ApprovalsStart implements OnApplicationBootstrap {
  constructor(
    private readonly config: GuardrailsConfig,
    private readonly host: Host,
    private readonly store: ApprovalsStore,
    private readonly reader: ApprovalsReader,
    private readonly access: AdminAccess,
  ) {}

  private keys: Replica | undefined;

  onApplicationBootstrap(): void {
    const { host, store, access, config } = this;
    const answering = host.bus.subscribe(approvalRequestedTopic, 'approvals', async ({ value }) => {
      // Who may still say yes is not known before: a call that waits gets no answer, and is refused.
      if (access.isReady()) await store.answer(value);
    });
    answering.catch((error: unknown) => host.log.error({ err: error }, 'held calls cannot be read'));
    this.showPages();
    const sweep = (): void =>
      void store.sweep().catch((error: unknown) => host.log.warn({ err: error }, 'approvals could not be swept'));
    const timer = setInterval(sweep, config.approvals.lookEveryMs).unref();
    host.onDrain('approvals of people', async () => {
      clearInterval(timer);
      await this.keys?.stop();
      await (await answering.catch(() => undefined))?.stop();
    });
  }

  private showPages(): void {
    const { host, store, reader, access, config } = this;
    const passes = new PassKeys('approvals');
    host.bus
      .replica(signingKeyStateTopic, (id, state) => passes.apply(id, state))
      .then(
        (replica) => (this.keys = replica),
        (error: unknown) => host.log.error({ err: error }, 'signing keys cannot be read'),
      );
    const people = (id: string) => access.directory.principalById(id);
    mountGuestPages({
      host,
      access,
      pepper: config.pepper,
      service: 'guardrails',
      passes,
      changesPerMinute: config.approvals.decisionsPerMinute,
      isReady: () => this.keys?.isReady() === true,
      pages: approvalsPages({ store, reader, people }),
    });
  }
}

/** What keeps, answers and shows approvals. */
export function approvalsProviders(config: GuardrailsConfig, host: Host): Provider[] {
  const statuses = host.metrics.counter('warder_approvals_total', 'Approvals, by what became of them', ['status']);
  return [
    {
      provide: ApprovalsReader,
      inject: [getDataSourceToken('guardrails'), AdminAccess],
      useFactory: (source: DataSource, { directory }: AdminAccess) =>
        new ApprovalsReader({ source, people: (id) => directory.principalById(id) }),
    },
    {
      provide: ApprovalsStore,
      inject: [getDataSourceToken('guardrails'), Outbox, AdminAccess, NoticesStore],
      useFactory: (source: DataSource, outbox: Outbox, { directory }: AdminAccess, notices: NoticesStore) =>
        new ApprovalsStore({
          source,
          outbox,
          notices,
          people: (id) => directory.principalById(id),
          bounds: config.approvals,
          wallMs: () => host.clock.wallMs(),
          onStatus: (status) => statuses.inc({ status }),
        }),
    },
    {
      provide: ApprovalsStart,
      inject: [ApprovalsStore, ApprovalsReader, AdminAccess],
      useFactory: (store: ApprovalsStore, reader: ApprovalsReader, access: AdminAccess) =>
        new ApprovalsStart(config, host, store, reader, access),
    },
  ];
}
