import type { CustomDictionary, CustomPattern, CustomRules } from '@warder/contracts';
import type { Detector } from '../detector.js';
import { GramScanner } from '../text-scanner.js';
import { adversarialTexts, adversarialTextsOfTerms } from './adversarial-texts.js';
import { dictionaryDetector } from './custom-dictionary.js';
import { patternDetector } from './custom-pattern.js';
import { PatternRefused, readPattern } from './pattern-syntax.js';

/** Milliseconds that one rule may take for 64 KB, whatever stands there. */
export const RULE_MS_MAX = 20;
/** A machine that is busy makes a good rule slow now and then, and a slow one never fast: the best of so many counts. */
const TRIES = 8;
/** Nothing but the rule makes it so slow; trying again would only take the rest of the time that there is. */
const HOPELESS_MS = 500;

/** Does the work and says how many milliseconds of a processor it took, or a little more. */
export type Took = (work: () => void) => number;

/** What is wrong with a rule, for who wrote it. */
export interface RuleProblem {
  readonly id: string;
  readonly problem: string;
}

/**
 * Reads rules, tries their examples, and times each on the texts that are hardest for it. To be run where it can be
 * ended from outside: what it looks for is a rule that does not end.
 */
export function problemsOf(
  { patterns, dictionaries }: Pick<CustomRules, 'patterns' | 'dictionaries'>,
  took: Took,
): readonly RuleProblem[] {
  return [
    ...patterns.flatMap((rule) => told(rule.id, problemOfPattern(rule, took))),
    ...dictionaries.flatMap((rule) => told(rule.id, problemOfDictionary(rule, took))),
  ];
}

const told = (id: string, problem: string | undefined): readonly RuleProblem[] =>
  problem === undefined ? [] : [{ id, problem }];

function problemOfPattern(rule: CustomPattern, took: Took): string | undefined {
  let detector: Detector;
  try {
    detector = patternDetector(rule);
  } catch (error) {
    if (error instanceof PatternRefused) return error.message;
    throw error;
  }
  const { node } = readPattern(rule.pattern, rule.isCaseSensitive);
  return slowness(detector, adversarialTexts(node), took) ?? wrongExample(rule, detector);
}

function problemOfDictionary(rule: CustomDictionary, took: Took): string | undefined {
  return slowness(dictionaryDetector(rule), adversarialTextsOfTerms(rule.terms), took);
}

function wrongExample({ fires, passes }: CustomPattern, detector: Detector): string | undefined {
  const scanner = new GramScanner([detector]);
  const isFound = (text: string): boolean => scanner.scan(text, () => true).length > 0;
  const missed = fires.findIndex((text) => !isFound(text));
  if (missed >= 0) return `does not find fires[${missed}]`;
  const wrong = passes.findIndex(isFound);
  return wrong >= 0 ? `finds passes[${wrong}]` : undefined;
}

function slowness(detector: Detector, texts: readonly string[], took: Took): string | undefined {
  const scanner = new GramScanner([detector]);
  for (const text of texts) {
    let best = Infinity;
    for (let attempt = 0; attempt < TRIES && best > RULE_MS_MAX; attempt += 1) {
      best = Math.min(
        best,
        took(() => void scanner.scan(text, () => true)),
      );
      if (best > HOPELESS_MS) break;
    }
    if (best > RULE_MS_MAX)
      return `takes ${Math.round(best)} ms for 64 KB of ${JSON.stringify(text.slice(0, 24))}...; ${RULE_MS_MAX} is the most`;
  }
  return undefined;
}
