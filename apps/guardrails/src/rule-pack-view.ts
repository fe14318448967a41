import { BUILT_IN_PACKS, type BuiltInPack } from '@warder/detectors';
import { AdminError } from '@warder/service-host';
import type { RulePack } from './rule-pack.entity.js';

/** A pack as the API shows it: what is on, and all that there is. */
export interface RulePackView {
  readonly pack: string;
  readonly version: number;
  readonly detectors: readonly string[];
  readonly available: readonly string[];
}

/** The pack's view. */
export function viewOf({ pack, version, detectors }: RulePack): RulePackView {
  return { pack, version, detectors, available: availableIn(pack) };
}

/**
 * The list without repetitions, in the pack's order.
 * @throws AdminError 400 WDR_DETECTOR_UNKNOWN that names what the pack does not have
 */
export function knownDetectors(pack: string, detectors: readonly string[]): string[] {
  const available = availableIn(pack);
  const unknown = detectors.filter((id) => !available.includes(id));
  if (unknown.length > 0) {
    const named = unknown.slice(0, 5).join(', ');
    throw new AdminError(
      400,
      'WDR_DETECTOR_UNKNOWN',
      `detectors: ${pack} has no ${named}; it has ${available.join(', ')}`,
    );
  }
  return available.filter((id) => detectors.includes(id));
}

function availableIn(pack: string): readonly string[] {
  return Object.hasOwn(BUILT_IN_PACKS, pack) ? BUILT_IN_PACKS[pack as BuiltInPack] : [];
}
