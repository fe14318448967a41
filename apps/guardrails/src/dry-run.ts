import type { CheckGuardrails } from '@warder/contracts';
import { createEngine, type KeyedHash, type Screening, type ScreeningEngine } from '@warder/detectors';
import type { CustomRulesRow } from './custom/custom-rules.entity.js';
import { stateOf } from './custom/custom-rules.store.js';
import type { RulePack } from './rule-pack.entity.js';

/** Screens a value as an ingress node would that runs on the same packs; compiles them once per version. */
export class DryRun {
  private compiled: { readonly of: string; readonly engine: ScreeningEngine } | undefined;

  /** @param hashes - of exact values, by the id of their key */
  constructor(private readonly hashes: ReadonlyMap<string, KeyedHash>) {}

  check(request: CheckGuardrails, packs: readonly RulePack[], custom: CustomRulesRow): Screening {
    return this.engineOf(packs, custom).screen(request.value, request.phase, request.actions);
  }

  /** The engine of these packs, compiled once per version. */
  engineOf(packs: readonly RulePack[], custom: CustomRulesRow): ScreeningEngine {
    const of = [...packs, { pack: 'custom', version: custom.version }]
      .map(({ pack, version }) => `${pack}@${version}`)
      .join(' ');
    if (this.compiled?.of !== of) {
      const states = packs.map(({ pack, version, detectors }) => ({
        pack,
        version,
        detectors,
        status: 'active' as const,
      }));
      this.compiled = { of, engine: createEngine([...states, stateOf(custom)], this.hashes) };
    }
    return this.compiled.engine;
  }
}
