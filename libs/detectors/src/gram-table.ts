import type { LiteralDetector, LiteralForm, ShapeDetector, ShapeTrigger, WindowDetector } from './detector.js';

const GRAM_BITS = 15;
export const GRAM_MASK = (1 << GRAM_BITS) - 1;
/** A gram and the character before it. */
const TAIL_BITS = 20;
export const TAIL_MASK = (1 << TAIL_BITS) - 1;
const FOLDS = 32;
const ASCII_MAX = 127;
export const HASH_BITS = 16;
export const HASH_MASK = (1 << HASH_BITS) - 1;
const DIGIT = 27;
const JOINT = 28;
const OPENING = 30;
const BLANK = 31;
/** Five bits for each ASCII character: letters without case, all digits alike, the marks that literals hold. */
export const FOLD = Uint8Array.from({ length: 256 }, (_, code) => {
  const lower = code | 32;
  if (lower >= 97 && lower <= 122 && code < 128) return lower - 96;
  if (code >= 48 && code <= 57) return DIGIT;
  if (code === 95 || code === 46) return JOINT;
  return code === 45 ? 29 : code === 60 || code === 91 || code === 58 ? OPENING : code === 32 ? BLANK : 0;
});
/** English letters from the rarest to the commonest, and then what rules and lists are drawn with: a gram of rare ones wakes nobody in vain. */
const LETTERS = 26;
const MARKS = new Map([
  [JOINT, '_'],
  [29, '-'],
  [OPENING, '<'],
  [BLANK, ' '],
]);
const COMMONNESS = '_zqxj<kvbpygfwmucldrhsnioate -';

export interface Literal {
  readonly text: string;
  /** Its first character, which most places do not have: asked before anything else. */
  readonly first: number;
  /** From the literal's start to the end of the gram that announces it. */
  readonly reach: number;
  readonly detector: LiteralDetector;
  readonly form: LiteralForm;
}

/** Who is to be asked where a gram stands. */
export interface Woken {
  readonly literals: Literal[];
  readonly shapes: ShapeDetector[];
  readonly windows: WindowDetector[];
  readonly trigger: ShapeTrigger | undefined;
}

function gramAt(text: string, end: number): number {
  const fold = (index: number): number => FOLD[text.charCodeAt(index) & 127] ?? 0;
  return ((fold(end - 2) << 10) | (fold(end - 1) << 5) | fold(end)) & GRAM_MASK;
}

/** By what a character folds to: digits are one and everywhere, and so are all the marks that share the rest. */
const DIGIT_COMMONNESS = 30;
const MARK_COMMONNESS = 28;

function commonness(code: number): number {
  const fold = FOLD[code & 127] ?? 0;
  if (fold === 0) return MARK_COMMONNESS;
  if (fold === DIGIT) return DIGIT_COMMONNESS;
  return COMMONNESS.indexOf(fold <= LETTERS ? String.fromCharCode(fold + 96) : (MARKS.get(fold) ?? ' '));
}

/** The rarest gram of a literal, by the place of its last character. */
function reachOf(literal: string): number {
  const weights = Array.from({ length: literal.length }, (_, at) => commonness(literal.charCodeAt(at)));
  let best = Math.min(3, literal.length - 1);
  let bestWeight = Number.POSITIVE_INFINITY;
  // Where it can be, a character stands before the gram, by which most wakings turn out vain.
  for (let end = Math.min(3, literal.length - 1); end < literal.length; end += 1) {
    const weight = (weights[end] ?? 0) + (weights[end - 1] ?? 0) + (weights[end - 2] ?? 0);
    if (weight < bestWeight) [best, bestWeight] = [end, weight];
  }
  return best;
}

const BOUNDARIES = [0, OPENING, BLANK];
const LETTER_FOLDS = Array.from({ length: 26 }, (_, index) => index + 1);
const HEX_FOLDS = [1, 2, 3, 4, 5, 6, DIGIT];
const gram = (first: number, second: number, third: number): number => (first << 10) | (second << 5) | third;
const SHAPE_GRAMS: Readonly<Record<ShapeTrigger, readonly number[]>> = {
  digits: [gram(DIGIT, DIGIT, DIGIT)],
  dotted: [gram(DIGIT, JOINT, DIGIT)],
  spaced: [gram(DIGIT, BLANK, DIGIT)],
  numbered: LETTER_FOLDS.flatMap((letter) => [...BOUNDARIES, DIGIT].map((before) => gram(before, DIGIT, letter))),
  colon: HEX_FOLDS.flatMap((before) => HEX_FOLDS.map((after) => gram(before, OPENING, after))),
};

/**
 * What three characters in a row, and the one before, may announce. The first table says whether anything at all and is
 * small enough for the processor's near caches; it may be wrong and the second, asked then, is not; the third says who.
 */
export class GramTable {
  readonly isWoken = new Uint8Array(1 << HASH_BITS);
  /** Asked with the character before the gram, where a gram wakes somebody. */
  readonly isConfirmed = new Uint8Array(1 << TAIL_BITS);
  private readonly isWide = new Uint8Array(1 << 16);
  private readonly wide = new Map<number, Literal[]>();
  private readonly slots = new Uint16Array(1 << GRAM_BITS);
  /** The first is nobody's. */
  private readonly woken: Woken[] = [{ literals: [], shapes: [], windows: [], trigger: undefined }];

  announce(detector: LiteralDetector): void {
    for (const form of detector.forms) {
      for (const text of form.literals) {
        if (text.charCodeAt(0) > ASCII_MAX) {
          this.announceWide({ text, first: text.charCodeAt(0), reach: 0, detector, form });
          continue;
        }
        const reach = reachOf(text);
        const at = gramAt(text, reach);
        this.slot(at, undefined).literals.push({ text, first: text.charCodeAt(0), reach, detector, form });
        this.confirm(at, reach > 2 ? (FOLD[text.charCodeAt(reach - 3) & 127] ?? 0) : undefined);
      }
    }
  }

  /** Literals that begin beyond ASCII are asked by their first character: a text in ASCII pays nothing for them. */
  wideAt(code: number): readonly Literal[] | undefined {
    return this.isWide[code] === 0 ? undefined : this.wide.get(code);
  }

  private announceWide(literal: Literal): void {
    this.isWide[literal.first] = 1;
    this.wide.set(literal.first, [...(this.wide.get(literal.first) ?? []), literal]);
  }

  announceShape(detector: ShapeDetector): void {
    for (const each of SHAPE_GRAMS[detector.trigger]) {
      this.slot(each, detector.trigger).shapes.push(detector);
      // Hex is full of two digits and a letter; what begins with them has no letter or digit in front.
      const isInHex = detector.trigger === 'numbered' && each >> 10 === DIGIT;
      for (const before of isInHex ? BOUNDARIES : [undefined]) this.confirm(each, before);
    }
  }

  announceWindow(detector: WindowDetector): void {
    for (const each of detector.grams) {
      this.slot(each, undefined).windows.push(detector);
      this.confirm(each, undefined);
    }
  }

  private confirm(at: number, before: number | undefined): void {
    for (let fold = 0; fold < FOLDS; fold += 1) {
      if (before !== undefined && before !== fold) continue;
      const tail = (fold << GRAM_BITS) | at;
      this.isConfirmed[tail] = 1;
      this.isWoken[(tail & HASH_MASK) ^ (tail >>> HASH_BITS)] = 1;
    }
  }

  at(gramFound: number): Woken {
    return this.woken[this.slots[gramFound] as number] as Woken;
  }

  private slot(at: number, trigger: ShapeTrigger | undefined): Woken {
    const known = this.slots[at] === 0 ? undefined : this.at(at);
    const slot: Woken = {
      literals: known?.literals ?? [],
      shapes: known?.shapes ?? [],
      windows: known?.windows ?? [],
      trigger: trigger ?? known?.trigger,
    };
    if (known === undefined) this.slots[at] = this.woken.push(slot) - 1;
    else this.woken[this.slots[at] as number] = slot;
    return slot;
  }
}

/** Whether the literal stands there, its first character known to. */
export function standsAt(text: string, start: number, literal: string): boolean {
  for (let index = 1; index < literal.length; index += 1) {
    const code = text.charCodeAt(start + index);
    const lower = code >= 65 && code <= 90 ? code | 32 : code;
    if (lower !== literal.charCodeAt(index)) return false;
  }
  return true;
}
