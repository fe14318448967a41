import type { CustomPattern } from '@warder/contracts';
import type { Span, WindowDetector } from '../detector.js';
import { longest, requiredGrams } from './pattern-grams.js';
import { expressionOf, PatternRefused, readPattern } from './pattern-syntax.js';

/** UTF-16 units that a match may have. */
const MATCH_CHARS_MAX = 512;

/**
 * A pattern of an operator as a detector: run around three characters that all of its matches have, and nowhere else.
 * @throws PatternRefused with what is wrong with it; how long it takes is not looked at here
 */
export function patternDetector({ pattern, isCaseSensitive, ...described }: CustomPattern): WindowDetector {
  const { node, hasGroup } = readPattern(pattern, isCaseSensitive);
  const charsMax = longest(node);
  if (charsMax > MATCH_CHARS_MAX)
    throw new PatternRefused(`it may take ${charsMax} characters; ${MATCH_CHARS_MAX} is the most`);
  const grams = requiredGrams(node);
  if (grams === undefined)
    throw new PatternRefused('no three characters in a row stand in every match: add a word, a mark or digits that do');
  const expression = new RegExp(expressionOf(node), hasGroup ? 'dg' : 'g');
  return {
    ...described,
    trigger: 'window',
    grams,
    around: charsMax,
    matchAll: (text, from, to) => matches(expression, text, from, to),
  };
}

/** One character on each side goes with the window, for what asks whether a word begins or ends there. */
function matches(expression: RegExp, text: string, from: number, to: number): readonly Span[] {
  const start = Math.max(0, from - 1);
  const part = text.slice(start, to + 1);
  const spans: Span[] = [];
  expression.lastIndex = from - start;
  for (let match = expression.exec(part); match !== null; match = expression.exec(part)) {
    const [left, right] = match.indices?.[1] ?? [match.index, match.index + match[0].length];
    spans.push({ start: start + left, end: start + right });
  }
  return spans;
}
