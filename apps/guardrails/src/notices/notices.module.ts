import type { OnApplicationBootstrap, Provider } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess } from '@warder/admin-access';
import { Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { GuardrailsConfig } from '../guardrails-config.js';
import { NoticeDelivery } from './notice-delivery.js';
import { NoticeDesk } from './notice-desk.store.js';
import { NoticeReceiver } from './notice-receiver.js';
import { NoticesStore } from './notices.store.js';

const SWEEP_EVERY_MS = 60_000;

/** Posts notices from the start of the service to its end. */
class NoticesStart implements OnApplicationBootstrap {
  constructor(
    private readonly host: Host,
    private readonly store: NoticesStore,
    private readonly deliveries: readonly NoticeDelivery[],
  ) {}

  onApplicationBootstrap(): void {
    const { host, store, deliveries } = this;
    if (deliveries.length === 0) return;
    for (const delivery of deliveries) delivery.start();
    const sweep = (): void =>
      void store.sweep().catch((error: unknown) => host.log.warn({ err: error }, 'notices could not be swept'));
    const timer = setInterval(sweep, SWEEP_EVERY_MS).unref();
    sweep();
    host.onDrain('notices to approvers', async () => {
      clearInterval(timer);
      await Promise.all(deliveries.map((delivery) => delivery.stop()));
    });
  }
}

/**
 * What tells approvers by webhook.
 * @throws Error for a secret file that cannot be read
 */
export function noticesProviders(config: GuardrailsConfig, host: Host): Provider[] {
  const { webhooks, keepDays } = config.approvals;
  const wallMs = () => host.clock.wallMs();
  const outcomes = host.metrics.counter('warder_approval_notices_total', 'Posts to approvers, by what became of them', [
    'webhook',
    'outcome',
  ]);
  const receivers = Object.entries(webhooks).map(([webhook, settings]) => ({
    webhook,
    settings,
    receiver: new NoticeReceiver(settings, wallMs),
  }));
  return [
    {
      provide: NoticesStore,
      inject: [getDataSourceToken('guardrails'), AdminAccess],
      useFactory: (source: DataSource, { directory }: AdminAccess) =>
        new NoticesStore({
          source,
          webhooks,
          keepDays,
          wallMs,
          nameOf: (id) => directory.principalById(id)?.name ?? id,
          pageUrl: (id) => new URL(`/approvals/${id}`, host.door.publicUrl()).href,
          onDropped: (webhook) => outcomes.inc({ webhook, outcome: 'dropped' }),
        }),
    },
    {
      provide: NoticeDesk,
      inject: [getDataSourceToken('guardrails'), Outbox, NoticesStore],
      useFactory: (source: DataSource, outbox: Outbox, notices: NoticesStore) =>
        new NoticeDesk({ source, outbox, notices, webhooks, wallMs }),
    },
    {
      provide: NoticesStart,
      inject: [NoticesStore],
      useFactory: (store: NoticesStore) => {
        const deliveries = receivers.map(
          (each) =>
            new NoticeDelivery({
              ...each,
              store,
              lookEveryMs: config.approvals.lookEveryMs,
              random: Math.random,
              onOutcome: (outcome) => outcomes.inc({ webhook: each.webhook, outcome }),
              onFault: (error) => host.log.warn({ err: error, webhook: each.webhook }, 'notices could not be read'),
            }),
        );
        return new NoticesStart(host, store, deliveries);
      },
    },
  ];
}
