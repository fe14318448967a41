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
  /** How sure it is, 0 to 1, together with what stands near. */
  readonly certainty: number;
  readonly isAdvisory?: true;
}

interface Described {
  /** `<category>.<kind>`; stands in rule packs, findings and placeholders. */
  readonly id: string;
  readonly category: FindingCategory;
  /** What it finds, in a few words for people who turn it on and off. */
  readonly what: string;
  /** Texts that it finds, and texts that look alike and must stay; both are tests. */
  readonly fires: readonly string[];
  readonly passes: readonly string[];
  /**
   * How sure one hit is, 0 to 1; without it, sure. What is less than sure counts only together with what stands near:
   * see `certainty.ts`.
   */
  readonly weight?: number;
  /** Told, and never cut out: a network address in an answer is what the question was about. */
  readonly isAdvisory?: true;
}

/** One way to write what a detector looks for. */
export interface LiteralForm {
  /** Lower case, three characters and more, compared without case; the pattern is asked where one of them stands. */
  readonly literals: readonly string[];
  /**
   * Sticky, starting at the literal. Group 1, if it took part, ends the match and is what is found. All its
   * quantifiers are bounded, or start behind a look-behind that no character of their own class passes, so that a text
   * costs linear time.
   */
  readonly pattern: RegExp;
  /** The pattern is not sticky, and is looked for around the literal: 160 characters before to 320 behind. */
  readonly isAround?: true;
  /** Group 1 stands in a look-behind instead: the part of the match in front of the literal. */
  readonly isGroupInFront?: true;
}

/** Asked only where one of the literals of a form stands. */
export interface LiteralDetector extends Described {
  readonly trigger: 'literal';
  readonly forms: readonly LiteralForm[];
  /** Only in texts of this reading. */
  readonly scope?: 'answer' | 'arguments' | 'definition';
  /** A bit for `evasion/decodings.ts`: no finding, but a reason to read the text another way. */
  readonly cue?: number;
  /** Looks again at what the pattern matched; for what a pattern cannot say. */
  readonly extend?: (text: string, match: Span) => Span | undefined;
}

/** Characters that wake a detector: three digits in a row, a digit on both sides of a dot or a blank, hex around a colon, a digit and a letter behind no letter. */
export type ShapeTrigger = 'digits' | 'dotted' | 'spaced' | 'colon' | 'numbered';

/** Asked where its shape stands, for what no literal announces; `start` is the shape's first character. */
export interface ShapeDetector extends Described {
  readonly trigger: ShapeTrigger;
  /** Asked only at numbers of so many digits, all groups together. */
  readonly digits?: readonly [min: number, max: number];
  /** Asked where a letter adjoins the digits; with `digits` too, either is enough. */
  readonly isLettered?: true;
  matchAt(text: string, start: number): Span | undefined;
}

/** Asked at each `@` or `+`. */
export interface SignDetector extends Described {
  readonly trigger: 'at-sign' | 'plus-sign';
  matchAt(text: string, at: number): Span | undefined;
}

/** Asked once for a text that holds a character beyond ASCII which nobody sees. */
export interface HiddenDetector extends Described {
  readonly trigger: 'hidden';
  matchAll(text: string): readonly Span[];
}

/** An operator's own: asked about what stands around certain grams of the text, all such places that touch at once. */
export interface WindowDetector extends Described {
  readonly trigger: 'window';
  /** Folded as in `gram-table.ts`; one of them stands in, or one character beside, whatever it finds; none: it is asked everywhere. */
  readonly grams: readonly number[];
  /** UTF-16 units on both sides of the gram's last that are looked at. */
  readonly around: number;
  /** What begins in `from` to `to`, `to` excluded. */
  matchAll(text: string, from: number, to: number): readonly Span[];
}

export type Detector = LiteralDetector | ShapeDetector | SignDetector | HiddenDetector | WindowDetector;
