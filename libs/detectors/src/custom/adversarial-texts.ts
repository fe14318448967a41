import { type CharacterSet, holds } from './character-set.js';
import type { PatternNode } from './pattern-syntax.js';

/** UTF-16 units of each text. */
export const ADVERSARIAL_CHARS = 65_536;
/** Texts that one pattern is tried with. */
const TEXTS_MAX = 240;
const CHARACTERS_MAX = 12;
/** What no pattern asks for, so that a search fails as late as it can. */
const BREAK = '\u0001';
const ALWAYS = ['a', 'aGVsbG8gd29ybGQg', 'a.', ' ', '\n', '"', '1', '12 ', 'A1-', 'the '];

/**
 * Texts on which a backtracking search for the pattern would take longest, if it could: for each of its repetitions what
 * leads there, every kind of character that the pattern tells apart as often as it goes, and what follows, whole, without its end, and
 * broken off; over and over, to 64 KB.
 */
export function adversarialTexts(node: PatternNode): readonly string[] {
  const characters = representatives(node);
  const whole = witness(node);
  const seeds = new Set([
    whole,
    whole.slice(0, -1),
    `${whole} `,
    `${whole.slice(0, -1)}${BREAK}`,
    ...ALWAYS,
    ...characters,
  ]);
  for (const { before, times, item, behind } of repetitions(node, '', '')) {
    for (const piece of [item, ...characters]) {
      const run = piece.repeat(Math.ceil(times / piece.length));
      // The last holds what a pattern is asked at, and fails before it.
      for (const end of [behind, behind.slice(0, -1), BREAK, BREAK + behind]) seeds.add(`${before}${run}${end}`);
    }
  }
  const wanted = [...seeds].filter((seed) => seed !== '').slice(0, TEXTS_MAX);
  return wanted.map((seed) => seed.repeat(Math.ceil(ADVERSARIAL_CHARS / seed.length)).slice(0, ADVERSARIAL_CHARS));
}

/** The same of words: what begins like one over and over. */
export function adversarialTextsOfTerms(terms: readonly string[]): readonly string[] {
  const longest = terms.toSorted((one, other) => other.length - one.length).slice(0, 20);
  const seeds = new Set([...ALWAYS, ...longest.flatMap((term) => [term, term.slice(0, -1), `${term.slice(0, -1)} `])]);
  return [...seeds].map((seed) => seed.repeat(Math.ceil(ADVERSARIAL_CHARS / seed.length)).slice(0, ADVERSARIAL_CHARS));
}

interface Repetition {
  readonly before: string;
  readonly item: string;
  /** UTF-16 units of the run. */
  readonly times: number;
  readonly behind: string;
}

/** Every repetition that can go on, with the shortest of what leads to it and what follows. */
function repetitions(node: PatternNode, before: string, behind: string): readonly Repetition[] {
  if (node.kind === 'repeat') {
    const item = witness(node.item);
    const inner = repetitions(node.item, before, behind);
    if (node.max === node.min || item === '') return inner;
    return [{ before, item, times: node.max * item.length, behind }, ...inner];
  }
  if (node.kind === 'group') return repetitions(node.item, before, behind);
  if (node.kind === 'choice') return node.branches.flatMap((branch) => repetitions(branch, before, behind));
  if (node.kind !== 'sequence') return [];
  return node.items.flatMap((item, at) => {
    const joined = (items: readonly PatternNode[]): string => items.map(witness).join('');
    return repetitions(item, before + joined(node.items.slice(0, at)), joined(node.items.slice(at + 1)) + behind);
  });
}

/** A short text that the pattern takes, as far as boundaries let it. */
function witness(node: PatternNode): string {
  if (node.kind === 'set') return String.fromCharCode(sampleOf(node.set));
  if (node.kind === 'boundary') return '';
  if (node.kind === 'group') return witness(node.item);
  if (node.kind === 'repeat') return witness(node.item).repeat(node.min);
  if (node.kind === 'choice') return witness(node.branches[0]!);
  return node.items.map(witness).join('');
}

/** One character of each kind that the pattern tells apart: two that are in the same of its sets cost the same. */
function representatives(node: PatternNode): readonly string[] {
  const sets = setsOf(node);
  const kinds = new Map<string, string>();
  const ends = sets.flatMap((set) => set.flatMap(([from, to]) => [from, to, from - 1, to + 1]));
  for (const code of [...sets.map(sampleOf), ...ends]) {
    if (code < 0 || code > 0xffff) continue;
    const kind = sets.map((set) => (holds(set, code) ? 1 : 0)).join('');
    if (!kinds.has(kind) && kind.includes('1')) kinds.set(kind, String.fromCharCode(code));
  }
  // Those that most of the sets hold are those that can be taken in most ways.
  const ways = (kind: string): number => kind.replaceAll('0', '').length;
  return [...kinds]
    .toSorted(([one], [other]) => ways(other) - ways(one))
    .slice(0, CHARACTERS_MAX)
    .map(([, character]) => character);
}

function setsOf(node: PatternNode): readonly CharacterSet[] {
  if (node.kind === 'set') return [node.set];
  if (node.kind === 'repeat' || node.kind === 'group') return setsOf(node.item);
  if (node.kind === 'choice') return node.branches.flatMap(setsOf);
  return node.kind === 'sequence' ? node.items.flatMap(setsOf) : [];
}

const PRINTED: readonly (readonly [number, number])[] = [
  [97, 122],
  [48, 57],
  [33, 126],
  [32, 32],
];

function sampleOf(set: CharacterSet): number {
  for (const [low, high] of PRINTED)
    for (const [from, to] of set) if (from <= high && to >= low) return Math.max(from, low);
  return set[0]?.[0] ?? 0;
}
