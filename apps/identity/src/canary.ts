import { CANARY_PRINCIPAL_ID, type PrincipalState, principalStateTopic } from '@warder/contracts';
import type { Outbox } from '@warder/postgres';

type Manager = Parameters<Outbox['enqueue']>[0];

/** As the sign-out of a person travels: by the outbox, the owner's topic and each node's replica. */
export class Canary {
  private version = 0;

  constructor(
    private readonly source: { transaction(work: (manager: Manager) => Promise<void>): Promise<void> },
    private readonly outbox: Pick<Outbox, 'enqueue'>,
    private readonly wallMs: () => number,
  ) {}

  /** Signs it out once more. There is no record: nobody did it, and two a minute would bury what people did. */
  async signOut(): Promise<void> {
    const nowMs = this.wallMs();
    // Of the clock, so that a process that starts anew goes on above the versions of the one before it.
    this.version = Math.max(nowMs, this.version + 1);
    const state: PrincipalState = {
      version: this.version,
      status: 'active',
      id: CANARY_PRINCIPAL_ID,
      kind: 'service',
      name: 'canary of revocations',
      email: null,
      groups: [],
      roles: [],
      signedOutAtMs: nowMs,
    };
    await this.source.transaction((manager) =>
      this.outbox.enqueue(manager, principalStateTopic, CANARY_PRINCIPAL_ID, state),
    );
  }
}
