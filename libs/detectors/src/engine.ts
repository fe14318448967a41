import type { ActionRule, AllowRule, ExactList, GuardrailActions, GuardrailRulesState } from '@warder/contracts';
import { ActionMatrix } from './action-matrix.js';
import { type Actions, actionsOfCategories } from './actions.js';
import { DETECTORS } from './built-in-packs.js';
import { customDetectors } from './custom/custom-detectors.js';
import type { KeyedHash } from './custom/exact-values.js';
import type { Detector } from './detector.js';
import { type Bounds, LeafWalk } from './leaf-walk.js';
import type { Phase, Screening, ScreeningEngine } from './screening-engine.js';
import type { TextScanner } from './text-reading.js';
import { GramScanner } from './text-scanner.js';
import { withUndecided } from './undecided.js';

/** Depth 64 and 200,000 leaves: beyond any schema in use, within what the stack and 10 MB of JSON can hold. */
export const SCREENING_BOUNDS: Bounds = { depthMax: 64, leavesMax: 200_000, findingsMax: 200 };

/** What an operator's own rules say besides what is found. */
interface OwnRules {
  readonly allow?: readonly AllowRule[];
  /** Lists whose key is not here. */
  readonly undecided?: readonly ExactList[];
}

/** An engine that walks parsed JSON and asks `scanner` about each text. */
export function engineOver(
  scanner: TextScanner,
  version = 0,
  unknownDetectors: readonly string[] = [],
  rules: readonly ActionRule[] = [],
  { allow = [], undecided = [] }: OwnRules = {},
): ScreeningEngine {
  const matrix = new ActionMatrix(rules, allow);
  return {
    version,
    unknownDetectors,
    scan: (text, reading) => scanner.scan(text, () => true, reading),
    screen(value: unknown, phase: Phase, actions: GuardrailActions | Actions): Screening {
      const known = 'of' in actions ? actions : matrix.without(actionsOfCategories(actions));
      const screening = new LeafWalk(scanner, SCREENING_BOUNDS, phase, known).screen(value);
      return undecided.length === 0 ? screening : withUndecided(screening, undecided, phase, known);
    },
    actionsFor: (words, scope) => matrix.of(words, scope),
  };
}

/**
 * Compiles rule packs, a millisecond or so; to be done once per change and not per call. Packs that are `removed`
 * count for nothing; without any pack everything passes, so a node must hold its packs before it is ready.
 * @param hashes - of exact values, by the id of their key; without its key a list decides nothing
 */
export function createEngine(
  packs: readonly GuardrailRulesState[],
  hashes: ReadonlyMap<string, KeyedHash> = new Map(),
): ScreeningEngine {
  const active = packs.filter(({ status }) => status === 'active');
  const enabled = new Set(active.flatMap(({ detectors }) => detectors));
  const detectors: Detector[] = [];
  const unknown: string[] = [];
  const undecided: ExactList[] = [];
  for (const id of enabled) {
    const detector = DETECTORS.get(id);
    if (detector === undefined) unknown.push(id);
    else detectors.push(detector);
  }
  for (const { custom } of active) {
    if (custom === undefined) continue;
    const own = customDetectors(custom, hashes);
    undecided.push(...own.undecided);
    detectors.push(...own.detectors);
    unknown.push(...own.unknown);
  }
  const version = packs.reduce((sum, pack) => sum + pack.version, 0);
  return engineOver(
    new GramScanner(detectors),
    version,
    unknown,
    active.flatMap(({ actions = [] }) => actions),
    { allow: active.flatMap(({ custom }) => custom?.allow ?? []), undecided },
  );
}
