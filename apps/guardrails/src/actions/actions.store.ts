import { type ActionRules, guardrailRulesStateTopic } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { ActionMatrixRow } from './action-matrix.entity.js';

/** Key of the matrix on the topic of the rule packs. */
const PACK = 'actions';

export interface ActionsChange {
  readonly rules: ActionRules;
  /** Version that the caller saw; `undefined` changes whatever is there. */
  readonly expectedVersion: number | undefined;
  readonly by: AdminActor;
}

/** The matrix and its publication: a change and its message are one transaction under the row's lock. */
export class ActionsStore {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
  ) {}

  read(): Promise<ActionMatrixRow> {
    return this.source.manager.findOneByOrFail(ActionMatrixRow, { id: 1 });
  }

  /** Replaces all rules. @throws AdminError 412 WDR_VERSION_MISMATCH when they changed since */
  change({ rules, expectedVersion, by }: ActionsChange): Promise<ActionMatrixRow> {
    return this.source.transaction(async (manager) => {
      const before = await locked(manager);
      if (expectedVersion !== undefined && expectedVersion !== before.version)
        throw new AdminError(412, 'WDR_VERSION_MISMATCH', `version ${before.version} of the actions is in force`);
      const after = { id: 1, version: before.version + 1, rules };
      await manager.update(ActionMatrixRow, { id: 1 }, { version: after.version, rules });
      await this.publish(manager, after);
      const names = (all: ActionRules): string[] => all.map(({ name }) => name);
      await this.outbox.recordAdminAction(manager, {
        action: 'actions.change',
        by,
        arguments: { version: after.version, before: names(before.rules), rules: after.rules },
      });
      return after;
    });
  }

  /** Publishes the matrix again: a broker may have lost it, and an in-process bus keeps nothing. */
  async republish(): Promise<void> {
    await this.source.transaction(async (manager) => {
      const row = await locked(manager);
      if (row.version > 0) await this.publish(manager, row);
    });
  }

  private publish(manager: EntityManager, { version, rules }: ActionMatrixRow): Promise<void> {
    const state = { version, status: 'active', pack: PACK, detectors: [], actions: rules } as const;
    return this.outbox.enqueue(manager, guardrailRulesStateTopic, PACK, { ...state, detectors: [] });
  }
}

function locked(manager: EntityManager): Promise<ActionMatrixRow> {
  return manager.findOneOrFail(ActionMatrixRow, { where: { id: 1 }, lock: { mode: 'pessimistic_write' } });
}
