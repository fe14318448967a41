import type { CustomDictionary } from '@warder/contracts';
import { isLetterOrDigit } from '../pii/characters.js';
import { FOLD } from '../gram-table.js';
import type { Span, WindowDetector } from '../detector.js';

/** White space that one blank of a phrase takes. */
const BLANKS_MAX = 16;
const FOLDS = 32;
const BLANK = 32;
const WORD = /[\p{L}\p{N}\p{M}]/u;
const SPACE = /\s/;
/** Scripts that put no blanks between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

interface Branch {
  readonly next: Map<number, Branch>;
  isEnd: boolean;
}

/**
 * Words and phrases as a detector: looked up letter by letter in one tree, whatever their case, the longest that fits.
 * A term is whole where no letter or digit adjoins, but for scripts that write without blanks.
 */
export function dictionaryDetector({ terms, isWithinWords, ...described }: CustomDictionary): WindowDetector {
  const root: Branch = { next: new Map(), isEnd: false };
  const grams = new Set<number>();
  // Letters with marks are written in two ways, and both mean the same.
  for (const term of new Set(terms.flatMap((each) => [each.normalize('NFC'), each.normalize('NFD')]))) {
    plant(root, term);
    for (const gram of gramsAt(term)) grams.add(gram);
  }
  return {
    ...described,
    fires: [],
    passes: [],
    trigger: 'window',
    grams: [...grams],
    around: 2,
    matchAll: (text, from, to) => look(root, isWithinWords, text, from, to),
  };
}

function plant(root: Branch, term: string): void {
  let at = root;
  let before = 0;
  for (let index = 0; index < term.length; index += 1) {
    const code = lower(term.charCodeAt(index));
    if (code === BLANK && before === BLANK) continue;
    before = code;
    let next = at.next.get(code);
    if (next === undefined) at.next.set(code, (next = { next: new Map(), isEnd: false }));
    at = next;
  }
  at.isEnd = true;
}

/** The grams that a term may begin with: of both cases, and whatever stands before or behind where it is short. */
function gramsAt(term: string): readonly number[] {
  const folds = [0, 1, 2].map((index) => foldsAt(term, index));
  const grams = new Set<number>();
  const add = (one: number, two: number, three: number) => grams.add((one << 10) | (two << 5) | three);
  for (const one of folds[0]!) for (const two of folds[1]!) for (const three of folds[2]!) add(one, two, three);
  // At the end of a text nothing stands behind a term of two characters.
  if (term.length === 2)
    for (const any of ALL_FOLDS) for (const one of folds[0]!) for (const two of folds[1]!) add(any, one, two);
  return [...grams];
}

const ALL_FOLDS = Array.from({ length: FOLDS }, (_, fold) => fold);
/** What a line is broken with folds as other marks do. */
const WHITE_FOLDS = [...new Set([9, 10, 11, 12, 13, 0xa0, 0x3000, BLANK].map((code) => FOLD[code & 127] ?? 0))];

function foldsAt(term: string, index: number): readonly number[] {
  // Behind a blank there may be more of them.
  if (index >= term.length || (index === 2 && SPACE.test(term[1]!))) return ALL_FOLDS;
  const character = term[index]!;
  if (SPACE.test(character)) return WHITE_FOLDS;
  return [
    ...new Set(
      [character, character.toLowerCase(), character.toUpperCase()].map((each) => FOLD[each.charCodeAt(0) & 127] ?? 0),
    ),
  ];
}

function look(root: Branch, isWithinWords: boolean, text: string, from: number, to: number): readonly Span[] {
  const spans: Span[] = [];
  for (let start = from; start < to; start += 1) {
    if (!root.next.has(lower(text.charCodeAt(start)))) continue;
    if (!isWithinWords && isJoined(text, start)) continue;
    const end = longestAt(root, isWithinWords, text, start);
    if (end === undefined) continue;
    spans.push({ start, end });
    start = end - 1;
  }
  return spans;
}

function longestAt(root: Branch, isWithinWords: boolean, text: string, start: number): number | undefined {
  let branch: Branch | undefined = root;
  let end: number | undefined;
  for (let at = start; at < text.length;) {
    const code = text.charCodeAt(at);
    const isSpace = code === BLANK || ((code < BLANK || code > 127) && SPACE.test(text[at]!));
    branch = branch.next.get(isSpace ? BLANK : lower(code));
    if (branch === undefined) break;
    at += isSpace ? blanksAt(text, at) : 1;
    if (branch.isEnd && (isWithinWords || !isJoined(text, at))) end = at;
  }
  return end;
}

function blanksAt(text: string, at: number): number {
  let count = 1;
  while (count < BLANKS_MAX && at + count < text.length && SPACE.test(text[at + count]!)) count += 1;
  return count;
}

/** Whether a word goes on from the character before `at` to the one there. */
function isJoined(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return false;
  const left = text.charCodeAt(at - 1);
  const right = text.charCodeAt(at);
  if (left < 128 && !isLetterOrDigit(left)) return false;
  if (right < 128) {
    if (!isLetterOrDigit(right)) return false;
    if (left < 128) return true;
  }
  const before = String.fromCodePoint(text.codePointAt(at - (isLowSurrogate(text, at - 1) ? 2 : 1)) ?? 0);
  const behind = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return WORD.test(before) && WORD.test(behind) && !UNSPACED.test(before) && !UNSPACED.test(behind);
}

const isLowSurrogate = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

/** Small letters of one unit; a letter whose small form is two stays as it is. */
function lower(code: number): number {
  if (code < 128) return code >= 65 && code <= 90 ? code | 32 : code;
  const small = String.fromCharCode(code).toLowerCase();
  return small.length === 1 ? small.charCodeAt(0) : code;
}
