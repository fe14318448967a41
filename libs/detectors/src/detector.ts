import type { FindingCategory } from '@warder/contracts';

/** A stretch of text in UTF-16 units, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One thing a detector saw. */
export interface Hit extends Span {
  readonly detector: string;
  readonly category: FindingCategory;
}

interface Described {
  /** `<category>.<kind>`; stands in rule packs, findings and placeholders. */
  readonly id: string;
  readonly category: FindingCategory;
}

/**
 * Asked only where one of `literals` stands (lower case, three characters and more, compared without case). `pattern`
 * is sticky and starts there; group 1, if it took part, ends the match and is what is found. All its quantifiers are
 * bounded, or start behind a look-behind that no character of their own class passes, so that a text costs linear time.
 */
export interface LiteralDetector extends Described {
  readonly trigger: 'literal';
  readonly literals: readonly string[];
  readonly pattern: RegExp;
  /** Looks again at what the pattern matched; for what a pattern cannot say. */
  readonly extend?: (text: string, match: Span) => Span | undefined;
}

/** Asked where three digits in a row begin. */
export interface DigitsDetector extends Described {
  readonly trigger: 'digits';
  matchAt(text: string, start: number): Span | undefined;
}

/** Asked at each `@`. */
export interface AtSignDetector extends Described {
  readonly trigger: 'at-sign';
  matchAt(text: string, at: number): Span | undefined;
}

/** Asked once for a text that holds a character beyond ASCII which nobody sees. */
export interface HiddenDetector extends Described {
  readonly trigger: 'hidden';
  matchAll(text: string): readonly Span[];
}

export type Detector = LiteralDetector | DigitsDetector | AtSignDetector | HiddenDetector;
