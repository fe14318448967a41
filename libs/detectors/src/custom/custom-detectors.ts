import type { CustomRules } from '@warder/contracts';
import type { Detector } from '../detector.js';
import { dictionaryDetector } from './custom-dictionary.js';
import { patternDetector } from './custom-pattern.js';
import { PatternRefused } from './pattern-syntax.js';

/** The detectors of an operator's rules, and the ids of those that this build cannot run. */
export interface CustomDetectors {
  readonly detectors: readonly Detector[];
  readonly unknown: readonly string[];
}

/** Compiles the rules; what was accepted by a newer build, and is not known here, leaves the others working. */
export function customDetectors({
  patterns,
  dictionaries,
}: Pick<CustomRules, 'patterns' | 'dictionaries'>): CustomDetectors {
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
  return { detectors, unknown };
}
