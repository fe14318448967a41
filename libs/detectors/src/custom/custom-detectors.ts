import type { CustomRules, ExactList } from '@warder/contracts';
import type { Detector } from '../detector.js';
import { dictionaryDetector } from './custom-dictionary.js';
import { patternDetector } from './custom-pattern.js';
import { exactDetector, type KeyedHash } from './exact-values.js';
import { PatternRefused } from './pattern-syntax.js';

/** The detectors of an operator's rules, and the ids of those that this build cannot run. */
export interface CustomDetectors {
  readonly detectors: readonly Detector[];
  readonly unknown: readonly string[];
  /** Lists whose key is not here. */
  readonly undecided: readonly ExactList[];
}

/**
 * Compiles the rules; what was accepted by a newer build, and is not known here, leaves the others working.
 * @param hashes - by the id of their key
 */
export function customDetectors(
  { patterns, dictionaries, exact }: CustomRules,
  hashes: ReadonlyMap<string, KeyedHash>,
): CustomDetectors {
  const detectors: Detector[] = dictionaries.map(dictionaryDetector);
  const unknown: string[] = [];
  for (const pattern of patterns) {
    try {
      detectors.push(patternDetector(pattern));
    } catch (error) {
      if (!(error instanceof PatternRefused)) throw error;
      unknown.push(pattern.id);
    }
  }
  const undecided: ExactList[] = [];
  for (const list of exact) {
    const hash = hashes.get(list.keyId);
    if (hash === undefined) undecided.push(list);
    else detectors.push(exactDetector(list, hash));
  }
  return { detectors, unknown: [...unknown, ...undecided.map(({ id }) => id)], undecided };
}
