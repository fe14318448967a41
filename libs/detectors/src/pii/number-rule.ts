import type { WrittenNumber } from './number-at.js';

/** A number that an authority gives to people. */
export interface NumberRule {
  readonly kind: string;
  readonly what: string;
  /** Digits it has. */
  readonly length: number;
  /** Ways to write it that are telling enough without a word in front. */
  readonly grouped?: RegExp;
  /** Words that announce it in any other way of writing. */
  readonly words: RegExp;
  readonly isValid: (digits: string, number: WrittenNumber) => boolean;
  readonly fires: readonly string[];
  readonly passes: readonly string[];
}
