import { isDigit, isLetterOrDigit } from './characters.js';

/** A number as it is written: groups of digits with one sign between them, and what stands around. */
export interface WrittenNumber {
  readonly start: number;
  readonly end: number;
  readonly digits: string;
  /** Lengths of the groups, such as `3-2-4`, and `9` for one group. */
  readonly grouping: string;
  /** The sign between groups, empty for one group, `?` for several signs. */
  readonly sign: string;
}

const BACK_MAX = 18;
const CHARS_MAX = 40;

let known: { readonly text: string; readonly at: number; readonly number: WrittenNumber | undefined } | undefined;

/** The number that a run of digits belongs to; undefined where a letter adjoins it. Remembers the last answer: many rules ask. */
export function numberAt(text: string, at: number): WrittenNumber | undefined {
  if (known?.at === at && known.text === text) return known.number;
  known = { text, at, number: read(text, at) };
  return known.number;
}

const isSign = (code: number): boolean => code === 32 || code === 45 || code === 46 || code === 47 || code === 0xa0;

/** Digits, and single signs that have digits on both sides. */
function belongs(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (isDigit(code)) return true;
  return isSign(code) && isDigit(text.charCodeAt(at - 1)) && isDigit(text.charCodeAt(at + 1));
}

/** How many digits the number has that a run of digits, `start` to `end`, belongs to. */
export function countDigits(text: string, start: number, end: number): number {
  let count = end - start;
  for (let at = start - 1; at >= 0 && start - at <= BACK_MAX && belongs(text, at); at -= 1) {
    if (isDigit(text.charCodeAt(at))) count += 1;
  }
  for (let at = end; at - start <= CHARS_MAX && belongs(text, at); at += 1) {
    if (isDigit(text.charCodeAt(at))) count += 1;
  }
  return count;
}

function read(text: string, at: number): WrittenNumber | undefined {
  let start = at;
  while (start > 0 && at - start < BACK_MAX && belongs(text, start - 1)) start -= 1;
  let end = at;
  while (end < text.length && end - start < CHARS_MAX && belongs(text, end)) end += 1;
  if (belongs(text, end) || (start > 0 && belongs(text, start - 1))) return undefined;
  if (isInWord(text, start - 1, -1) || isInWord(text, end, 1)) return undefined;
  let digits = '';
  let grouping = '';
  let sign = '';
  for (let group = start; group < end; group += 1) {
    const from = group;
    while (group < end && isDigit(text.charCodeAt(group))) group += 1;
    digits += text.slice(from, group);
    grouping += grouping === '' ? String(group - from) : `-${group - from}`;
    const found = group < end ? (text[group] ?? '') : sign;
    sign = sign === '' || sign === found ? found : '?';
  }
  return { start, end, digits, grouping, sign };
}

/** A letter, `_`, or a decimal point with a digit behind it. An escape's letter (`\\n`) does not count. */
function isInWord(text: string, at: number, direction: 1 | -1): boolean {
  const code = text.charCodeAt(at);
  if (direction === -1 && text[at - 1] === '\\' && /[nrt]/.test(text[at] ?? '')) return false;
  return isLetterOrDigit(code) || code === 95;
}

const CONTEXT_CHARS = 500;

/** Whether one of the words stands at most 500 characters in front. */
export const isAnnounced = (text: string, start: number, words: RegExp): boolean =>
  words.test(text.slice(Math.max(0, start - CONTEXT_CHARS), start));

/** `4.111111111111111e15` and the like, as digits; a fraction or a number past 19 digits is no card. */
function wholeNumber(text: string): string | undefined {
  const value = Math.abs(Number(text));
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

/** The digits of a JSON number that is whole, however it is written. */
export function digitsOf(text: string): string | undefined {
  return /^-?(\d+)(?:\.0+)?$/.exec(text)?.[1] ?? (/[eE.]/.test(text) ? wholeNumber(text) : undefined);
}

/** `-05-12` behind a year: the commonest number with signs in it, and nobody's. */
export const DATE_REST = 6;
export function isDate(text: string, end: number): boolean {
  const sign = text.charCodeAt(end);
  return (
    (sign === 45 || sign === 47) &&
    text.charCodeAt(end + 3) === sign &&
    isDigit(text.charCodeAt(end + 5)) &&
    !isDigit(text.charCodeAt(end + DATE_REST))
  );
}
