import type { ShapeDetector } from '../detector.js';
import { isAnnounced, numberAt, type WrittenNumber } from './number-at.js';
import { NUMBERS_OF_EUROPE } from './numbers-of-europe.js';
import { NUMBERS_OF_THE_WORLD } from './numbers-of-the-world.js';

const written = (number: WrittenNumber): string => `${number.sign}${number.grouping}`;

/** One detector for each; asked at every longer number, it answers by the count of digits first. */
export const NATIONAL_NUMBERS: readonly ShapeDetector[] = [...NUMBERS_OF_EUROPE, ...NUMBERS_OF_THE_WORLD].map(
  ({ kind, what, length, grouped, words, isValid, fires, passes }): ShapeDetector => ({
    id: `pii.${kind}`,
    category: 'pii',
    what,
    fires,
    passes,
    trigger: 'digits',
    digits: [length, length],
    matchAt(text, start) {
      const number = numberAt(text, start);
      if (number === undefined || number.digits.length !== length || !isValid(number.digits, number)) return undefined;
      const isTold = grouped?.test(written(number)) === true || isAnnounced(text, number.start, words);
      return isTold ? { start: number.start, end: number.end } : undefined;
    },
  }),
);
