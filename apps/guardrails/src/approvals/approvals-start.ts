import type { OnApplicationBootstrap } from '@nestjs/common';
import type { AdminAccess } from '@warder/admin-access';
import { approvalRequestedTopic } from '@warder/contracts';
import type { Host } from '@warder/service-host';
import type { GuardrailsConfig } from '../guardrails-config.js';
import type { ApprovalsStore } from './approvals.store.js';

/** Answers held calls, and ends what nobody decided in time. */
export class ApprovalsStart implements OnApplicationBootstrap {
  constructor(
    private readonly config: GuardrailsConfig,
    private readonly host: Host,
    private readonly store: ApprovalsStore,
    private readonly access: AdminAccess,
  ) {}

  onApplicationBootstrap(): void {
    const { host, store, access, config } = this;
    const answering = host.bus.subscribe(approvalRequestedTopic, 'approvals', async ({ value }) => {
      // Who may still say yes is not known before: a call that waits gets no answer, and is refused.
      if (access.isReady()) await store.answer(value);
    });
    answering.catch((error: unknown) => host.log.error({ err: error }, 'held calls cannot be read'));
    const sweep = (): void =>
      void store.sweep().catch((error: unknown) => host.log.warn({ err: error }, 'approvals could not be swept'));
    const timer = setInterval(sweep, config.approvals.lookEveryMs).unref();
    host.onDrain('approvals of people', async () => {
      clearInterval(timer);
      await (await answering.catch(() => undefined))?.stop();
    });
  }
}
