import type { ShapeDetector, SignDetector, Span } from '../detector.js';
import { isDigit, isLetterOrDigit } from './characters.js';
import { numberAt } from './number-at.js';

const DIGITS_MIN = 8;
const DIGITS_MAX = 15;
/** What people put between the digits, one or two at a time. */
const INTERNATIONAL = /\+(?:[1-9]\d{0,3})(?:[ .\-/\u00a0]{0,2}\(?\d{1,5}\)?){1,7}(?: ?(?:x|ext\.? ?)\d{1,6}(?!\d))?/y;

/** `+` and a country's code. */
export const INTERNATIONAL_PHONE: SignDetector = {
  id: 'pii.phone-international',
  category: 'pii',
  what: 'Telephone number with a country code',
  fires: ['+49 30 901820', '+33 6 31 87 46 45', '+14155550132'],
  passes: ['2026-01-01T00:00:00+02:00', 'a+12345', '1.5e+10', '+1234'],
  trigger: 'plus-sign',
  matchAt(text, at) {
    if (!isDigit(text.charCodeAt(at + 1)) || (at > 0 && isLetterOrDigit(text.charCodeAt(at - 1)))) return undefined;
    INTERNATIONAL.lastIndex = at;
    const found = INTERNATIONAL.exec(text)?.[0];
    if (found === undefined) return undefined;
    const count = found.replace(/ ?(?:x|ext).*$|\D/g, '').length;
    const after = text.charCodeAt(at + found.length);
    if (count < DIGITS_MIN || count > DIGITS_MAX || isLetterOrDigit(after)) return undefined;
    return { start: at, end: at + found.length };
  },
};

const NORTH_AMERICAN =
  /(?:\(\d{3}\)[ -]?|\d{3}[-. ])[2-9]\d{2}[-. ]\d{4}(?![-.]?\d)(?: ?(?:x|ext\.? ?)\d{1,6}(?!\d))?/y;
/** The ones that stand in front of an area code: country or carrier. */
const TRUNK = /(?:(?:00)?1[-. ])$/;
/** An area code in brackets. */
const AREA = /\(\d{3}\)[ -]?$/;
const WORDS =
  /\b(?:phone|tel|telephone|t[ée]l[ée]phone|telefon|tel[ée]fono|mobile|cell|call|fax|whatsapp|sms|contact|handy|mobil|portable|messages? (?:to|from)|text (?:me|us)|dial|ring|reach|hotline|office|desk|line)\b/i;
const WORDS_BEFORE_CHARS = 90;

/** A word for a telephone in the same line. */
function isSaid(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - WORDS_BEFORE_CHARS), start);
  return WORDS.test(before.slice(before.lastIndexOf('\n') + 1));
}

const WORDS_BEHIND = /^[ \t,;:()-]{1,4}(?:phone|mobile|office|fax|home|work|cell|tel|direct)\b/i;
const WORDS_BEHIND_CHARS = 16;

/** A three-digit area, three digits and four: told by its hyphens or brackets, or by a word. */
function northAmerican(text: string, start: number): Span | undefined {
  const area =
    text[start - 1] === ')' || text[start - 2] === ')' ? AREA.exec(text.slice(Math.max(0, start - 6), start)) : null;
  const from = area === null ? (text[start - 1] === '(' ? start - 1 : start) : start - area[0].length;
  NORTH_AMERICAN.lastIndex = from;
  const found = NORTH_AMERICAN.exec(text)?.[0];
  if (found === undefined || !/^\(?[2-9]/.test(found)) return undefined;
  const trunk = TRUNK.exec(text.slice(Math.max(0, from - 4), from))?.[0].length ?? 0;
  const begin = from - trunk;
  const before = text.charCodeAt(begin - 1);
  if (begin > 0 && (isLetterOrDigit(before) || before === 45 || before === 46 || before === 95)) return undefined;
  const end = from + found.length;
  if (isLetterOrDigit(text.charCodeAt(end))) return undefined;
  const isTold = /^(?:\(\d{3}\)|\d{3}-)/.test(found) || isSaid(text, begin);
  return isTold ? { start: begin, end } : undefined;
}

const NATIONAL_MIN = 7;
const NATIONAL_MAX = 13;
/** An area code in brackets. */
const BRACKET = /\(\d{1,4}\)[ -]?$/;
/** A word for a telephone right in front. */
const NEAR =
  /\b(?:phone|tel|telephone|telefon|mobile|cell|fax|desk|office|(?:call|reach|ring|text)(?: (?:me|us|him|her|them))?(?: (?:on|at))?)[ .:#]{1,3}$/i;
const NEAR_CHARS = 24;

/** Any other number that a word says is a telephone's, with a trunk zero or in groups. */
function announced(text: string, start: number): Span | undefined {
  const number = numberAt(text, start);
  if (number === undefined) return undefined;
  const bracket = BRACKET.exec(text.slice(Math.max(0, number.start - 8), number.start))?.[0] ?? '';
  const isNear = NEAR.test(
    text.slice(Math.max(0, number.start - bracket.length - NEAR_CHARS), number.start - bracket.length),
  );
  if (bracket !== '' && isNear && number.digits.length >= NATIONAL_MIN && number.digits.length <= NATIONAL_MAX)
    return { start: number.start - bracket.length, end: number.end };
  if (number.digits.length < NATIONAL_MIN || number.digits.length > NATIONAL_MAX) return undefined;
  if (number.sign !== '' && !number.digits.startsWith('0') && number.grouping.split('-').length < 3 && !isNear)
    return undefined;
  if (number.sign === '' && !number.digits.startsWith('0') && number.digits.length < 10) return undefined;
  if (/^(?:4-2-2|2-2-4|4-1-2|4-2-1)$/.test(number.grouping)) return undefined;
  const isTold =
    isSaid(text, number.start) || WORDS_BEHIND.test(text.slice(number.end, number.end + WORDS_BEHIND_CHARS));
  return isTold && number.grouping.length > 1 + (number.sign === '' ? -1 : 0)
    ? { start: number.start, end: number.end }
    : undefined;
}

/** Telephone numbers without a country code. */
export const NATIONAL_PHONE: ShapeDetector = {
  id: 'pii.phone',
  category: 'pii',
  what: 'Telephone number',
  fires: [
    '618-226-1460',
    '(579)888-3058',
    'call me at 0494 92 82 32',
    '001-518-640-0854',
    'phone: (64) 3591-3246',
    '463-612-6138x036',
  ],
  passes: ['618-226-146', 'build 20260102-1460', 'order 0494928232'],
  trigger: 'digits',
  digits: [NATIONAL_MIN, 14],
  matchAt: (text, start) => northAmerican(text, start) ?? announced(text, start),
};

const PAIRS = /\d\d(?:([. -])\d\d)(?:\1\d\d){2,3}(?![\dA-Za-z_]|[.-]\d)/y;

/** Numbers in pairs, which have no three digits in a row to be noticed by. */
const inPairs = (trigger: 'dotted' | 'spaced', fires: string, passes: string): ShapeDetector => ({
  id: `pii.phone-in-pairs-${trigger}`,
  category: 'pii',
  what: 'Telephone number in pairs of digits',
  fires: [fires],
  passes: [passes],
  trigger,
  matchAt(text, joint) {
    const start = joint - 1;
    const before = text.charCodeAt(start - 1);
    if (start > 0 && (isLetterOrDigit(before) || before === 46 || before === 45)) return undefined;
    PAIRS.lastIndex = start;
    const found = PAIRS.exec(text)?.[0];
    if (found === undefined || !isSaid(text, start)) return undefined;
    return { start, end: start + found.length };
  },
});

export const PAIRED_PHONES: readonly ShapeDetector[] = [
  inPairs('dotted', 'call me on 01.84.17.61.18', 'version 01.84.17.61.18'),
  inPairs('spaced', 'tel: 01 84 17 61 18', 'bytes 01 84 17 61 18'),
];
