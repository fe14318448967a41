import { guardrailRulesStateTopic } from '@warder/contracts';
import { BUILT_IN_PACKS, type BuiltInPack } from '@warder/detectors';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { RulePack } from './rule-pack.entity.js';

/** Which detectors of a pack are to be on from now on. */
export interface RulePackChange {
  readonly pack: string;
  readonly detectors: readonly string[];
  /** Version that the caller saw; `undefined` changes whatever is there. */
  readonly expectedVersion: number | undefined;
  readonly by: AdminActor;
}

/** Rule packs and their publication: a change and its message are one transaction under the row's lock. */
export class RulePacksStore {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** Every pack, by name. */
  all(): Promise<RulePack[]> {
    return this.source.manager.find(RulePack, { order: { pack: 'ASC' } });
  }

  /** @throws AdminError 404 WDR_RULE_PACK_UNKNOWN */
  async one(pack: string): Promise<RulePack> {
    const found = await this.source.manager.findOneBy(RulePack, { pack });
    if (found === null) throw unknownPack(pack);
    return found;
  }

  /**
   * Turns detectors on and off.
   * @throws AdminError 404 WDR_RULE_PACK_UNKNOWN, 412 WDR_VERSION_MISMATCH when the pack changed since
   */
  change({ pack, detectors, expectedVersion, by }: RulePackChange): Promise<RulePack> {
    return this.source.transaction(async (manager) => {
      const before = await manager.findOne(RulePack, { where: { pack }, lock: { mode: 'pessimistic_write' } });
      if (before === null) throw unknownPack(pack);
      if (expectedVersion !== undefined && expectedVersion !== before.version) {
        throw new AdminError(412, 'WDR_VERSION_MISMATCH', `version ${before.version} of the pack is in force`);
      }
      const after = { pack, version: before.version + 1, detectors: [...detectors], known: before.known };
      await manager.update(RulePack, { pack }, after);
      await this.publish(manager, after);
      await this.outbox.recordAdminAction(manager, {
        action: 'rule-pack.change',
        by,
        arguments: {
          pack,
          version: after.version,
          enabled: after.detectors.filter((id) => !before.detectors.includes(id)),
          disabled: before.detectors.filter((id) => !after.detectors.includes(id)),
        },
      });
      return after;
    });
  }

  /**
   * Adds what this build brings and the database does not know, packs and detectors, all on, and publishes every pack
   * again: a broker may have lost it, and an in-process bus keeps nothing. What somebody turned off stays off.
   */
  async republish(): Promise<void> {
    await this.source.transaction(async (manager) => {
      for (const [pack, detectors] of Object.entries(BUILT_IN_PACKS)) {
        const fresh = { pack, version: 1, detectors: [...detectors], known: [...detectors] };
        await manager.createQueryBuilder().insert().into(RulePack).values(fresh).orIgnore().execute();
      }
      const packs = await manager.find(RulePack, { order: { pack: 'ASC' }, lock: { mode: 'pessimistic_write' } });
      for (const pack of packs) await this.publish(manager, await withNewDetectors(manager, pack));
    });
  }

  private publish(manager: EntityManager, { pack, version, detectors }: RulePack): Promise<void> {
    const state = { version, status: 'active', pack, detectors } as const;
    return this.outbox.enqueue(manager, guardrailRulesStateTopic, pack, state);
  }
}

async function withNewDetectors(manager: EntityManager, before: RulePack): Promise<RulePack> {
  const { pack } = before;
  const builtIn: readonly string[] = Object.hasOwn(BUILT_IN_PACKS, pack) ? BUILT_IN_PACKS[pack as BuiltInPack] : [];
  const fresh = builtIn.filter((id) => !before.known.includes(id));
  if (fresh.length === 0) return before;
  const after = {
    pack,
    version: before.version + 1,
    detectors: [...before.detectors, ...fresh],
    known: [...before.known, ...fresh],
  };
  await manager.update(RulePack, { pack }, after);
  return after;
}

function unknownPack(pack: string): AdminError {
  const known = Object.keys(BUILT_IN_PACKS).join(', ');
  return new AdminError(404, 'WDR_RULE_PACK_UNKNOWN', `no rule pack "${pack.slice(0, 40)}"; there are ${known}`);
}
