/** UTF-16 code units as ranges, both ends included, in order and apart. */
export type CharacterSet = readonly (readonly [from: number, to: number])[];

const LAST = 0xffff;
/** Ranges longer than this have all that a case could add, or are left to the expression itself. */
const COUNTERPARTS_MAX = 512;

/** The set of one code unit. */
export const setOf = (code: number): CharacterSet => [[code, code]];

/** All of both. */
export function union(one: CharacterSet, other: CharacterSet): CharacterSet {
  const merged: [number, number][] = [];
  for (const [from, to] of [...one, ...other].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** All but these. */
export function complement(set: CharacterSet): CharacterSet {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [from, to] of union(set, [])) {
    if (from > next) rest.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST) rest.push([next, LAST]);
  return rest;
}

/** With the capital or small letter of each. */
export function counterparts(set: CharacterSet): CharacterSet {
  const added: [number, number][] = [];
  for (const [from, to] of set) {
    if (to - from > COUNTERPARTS_MAX) continue;
    for (let code = from; code <= to; code += 1) {
      const character = String.fromCharCode(code);
      for (const variant of [character.toLowerCase(), character.toUpperCase()])
        if (variant.length === 1 && variant !== character) added.push([variant.charCodeAt(0), variant.charCodeAt(0)]);
    }
  }
  return added.length === 0 ? set : union(set, added);
}

/** Whether the unit is in the set. */
export const holds = (set: CharacterSet, code: number): boolean => set.some(([from, to]) => code >= from && code <= to);

const range = (from: string, to: string): readonly [number, number] => [from.charCodeAt(0), to.charCodeAt(0)];
const DIGITS: CharacterSet = [range('0', '9')];
const WORD: CharacterSet = [range('0', '9'), range('A', 'Z'), range('_', '_'), range('a', 'z')];
const SPACE: CharacterSet = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

/** What the letters behind a backslash stand for. @see ECMA-262 section 22.2.2.9, CharacterClassEscape */
export const CLASSES: Readonly<Record<string, CharacterSet>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};

/** What a dot takes. */
export const ANY_BUT_LINE_END: CharacterSet = complement([
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
]);
