import { compilePattern, type CompiledPattern } from './tool-pattern.js';

/** What a pattern of tools says. */
export interface PatternEntry<T> {
  readonly pattern: CompiledPattern;
  readonly value: T;
}

/**
 * Orders patterns so that the first one that matches decides: a name before a pattern, then the one with more characters
 * that are no star, and of two alike what `compare` puts first.
 */
export function mostSpecificFirst<T>(
  entries: readonly (readonly [pattern: string, value: T])[],
  compare: (one: T, other: T) => number,
): PatternEntry<T>[] {
  return entries
    .flatMap(([text, value]) => {
      const pattern = compilePattern(text);
      return pattern === undefined ? [] : [{ pattern, value }];
    })
    .toSorted(
      (one, other) =>
        Number(one.pattern.text.includes('*')) - Number(other.pattern.text.includes('*')) ||
        literalsOf(other.pattern) - literalsOf(one.pattern) ||
        compare(one.value, other.value),
    );
}

const literalsOf = ({ text }: CompiledPattern): number => text.replaceAll('*', '').length;
