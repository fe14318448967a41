import type { Detector } from './detector.js';
import { HIDDEN_DETECTORS } from './hidden-detectors.js';
import { INJECTION_DETECTORS } from './injection-detectors.js';
import { PII_DETECTORS } from './pii-detectors.js';
import { SECRET_DETECTORS } from './secret-detectors.js';

const PACKS = {
  secrets: SECRET_DETECTORS,
  pii: PII_DETECTORS,
  injection: INJECTION_DETECTORS,
  hidden: HIDDEN_DETECTORS,
} as const satisfies Record<string, readonly Detector[]>;

/** Names of the packs that come with the program. */
export type BuiltInPack = keyof typeof PACKS;

/** Every built-in pack with the ids of its detectors, all of which are on unless an administrator says otherwise. */
export const BUILT_IN_PACKS: Readonly<Record<BuiltInPack, readonly string[]>> = {
  secrets: PACKS.secrets.map(({ id }) => id),
  pii: PACKS.pii.map(({ id }) => id),
  injection: PACKS.injection.map(({ id }) => id),
  hidden: PACKS.hidden.map(({ id }) => id),
};

/** Every detector of this build by its id. */
export const DETECTORS: ReadonlyMap<string, Detector> = new Map(
  Object.values(PACKS)
    .flat()
    .map((detector: Detector) => [detector.id, detector]),
);
