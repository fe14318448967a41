import { type CustomRules, type GuardrailRulesState, guardrailRulesStateTopic } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { CustomRulesRow } from './custom-rules.entity.js';

/** Key of the operator's own rules on the topic of the rule packs. */
const PACK = 'custom';

export interface CustomRulesChange {
  /** Accepted already: read, tried and timed. */
  readonly rules: CustomRules;
  /** Version that the caller saw; `undefined` changes whatever is there. */
  readonly expectedVersion: number | undefined;
  readonly by: AdminActor;
}

/** The operator's own rules and their publication: a change and its message are one transaction under the row's lock. */
export class CustomRulesStore {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
  ) {}

  read(): Promise<CustomRulesRow> {
    return this.source.manager.findOneByOrFail(CustomRulesRow, { id: 1 });
  }

  /** Replaces all rules. @throws AdminError 412 WDR_VERSION_MISMATCH when they changed since */
  change({ rules, expectedVersion, by }: CustomRulesChange): Promise<CustomRulesRow> {
    return this.source.transaction(async (manager) => {
      const before = await locked(manager);
      if (expectedVersion !== undefined && expectedVersion !== before.version)
        throw new AdminError(412, 'WDR_VERSION_MISMATCH', `version ${before.version} of the rules is in force`);
      const after = { id: 1, version: before.version + 1, rules };
      await manager.update(CustomRulesRow, { id: 1 }, { version: after.version, rules });
      await this.publish(manager, after);
      await this.outbox.recordAdminAction(manager, {
        action: 'custom-rules.change',
        by,
        arguments: { version: after.version, before: named(before.rules), after: named(rules) },
      });
      return after;
    });
  }

  /** Publishes the rules again: a broker may have lost them, and an in-process bus keeps nothing. */
  async republish(): Promise<void> {
    await this.source.transaction(async (manager) => {
      const row = await locked(manager);
      if (row.version > 0) await this.publish(manager, row);
    });
  }

  private publish(manager: EntityManager, row: CustomRulesRow): Promise<void> {
    return this.outbox.enqueue(manager, guardrailRulesStateTopic, PACK, stateOf(row));
  }
}

/** The rules as they travel. */
export function stateOf({ version, rules }: Pick<CustomRulesRow, 'version' | 'rules'>): GuardrailRulesState {
  return { version, status: 'active', pack: PACK, detectors: [], custom: rules };
}

/** What a record keeps of rules: which there are, and patterns as they are written; a dictionary may be a secret. */
function named({ patterns, dictionaries, allow, exact }: CustomRules): object {
  return {
    patterns: patterns.map(({ id, category, pattern }) => ({ id, category, pattern })),
    dictionaries: dictionaries.map(({ id, category, terms }) => ({ id, category, terms: terms.length })),
    exact: exact.map(({ id, category, keyId, hashes }) => ({ id, category, keyId, values: hashes.length })),
    allow: allow.map(({ name, detectors, tool, values }) => ({
      name,
      detectors,
      tool,
      values: values?.length ?? null,
    })),
  };
}

function locked(manager: EntityManager): Promise<CustomRulesRow> {
  return manager.findOneOrFail(CustomRulesRow, { where: { id: 1 }, lock: { mode: 'pessimistic_write' } });
}
