import type { Decoding } from './decodings.js';

const STEP = 16;
const RUN_MIN = 20;

const isLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122;

/** Whether letters and one and the same other sign take turns around `at`. */
function alternates(text: string, at: number): boolean {
  const sign = text.charCodeAt(at);
  if (isLetter(sign) || (sign >= 48 && sign <= 57)) return false;
  return (
    text.charCodeAt(at + 2) === sign &&
    text.charCodeAt(at + 4) === sign &&
    isLetter(text.charCodeAt(at + 1)) &&
    isLetter(text.charCodeAt(at + 3))
  );
}

const SPACED =
  /[A-Za-z](?:([ ._*-])[A-Za-z](?![A-Za-z]))(?:(?:\1|[ ]{1,4}|\\n|\n)(?:[^\s\\]| (?=[._*-]))(?![A-Za-z])){8,}/g;

/**
 * `i g n o r e` and `i.g.n.o.r.e` written as words. Looks at every 16th character: a run of twenty letters cannot hide
 * between two looks.
 */
export function spacedLetters(text: string): Decoding | undefined {
  if (text.length < RUN_MIN) return undefined;
  for (let at = 0; at < text.length - 5; at += STEP) {
    if (alternates(text, at) || alternates(text, at + 1)) return joined(text);
  }
  return undefined;
}

function joined(text: string): Decoding | undefined {
  let first = -1;
  let last = 0;
  let read = '';
  for (const run of text.matchAll(SPACED)) {
    if (first < 0) first = run.index;
    last = run.index + run[0].length;
    read += `${wordsOf(run[0], run[1] ?? ' ')}\n`;
  }
  if (first < 0) return undefined;
  return { text: read, isDisguise: true, place: () => ({ start: first, end: last }) };
}

/** Words stand apart by more than letters do, or by another sign. */
function wordsOf(run: string, sign: string): string {
  const words = sign === ' ' ? run.split(/ {2,}|\n/) : run.split(/[ \n]+/);
  return words.map((word) => (sign === ' ' ? word.replaceAll(' ', '') : word.replaceAll(sign, ''))).join(' ');
}
