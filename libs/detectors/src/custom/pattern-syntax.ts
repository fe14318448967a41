import {
  ANY_BUT_LINE_END,
  CLASSES,
  type CharacterSet,
  complement,
  counterparts,
  setOf,
  union,
} from './character-set.js';

/** A pattern of an operator, read: what a regular expression of this part of the syntax takes. */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  /** Where a word begins or ends, or (`\B`) where none does. */
  | { readonly kind: 'boundary'; readonly isNone: boolean }
  /** What is found, of all that matches. */
  | { readonly kind: 'group'; readonly item: PatternNode }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly branches: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly item: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly isLazy: boolean;
    };

/** Why a pattern is not taken; a sentence for who wrote it. */
export class PatternRefused extends Error {}

const REPEAT_MAX = 256;
const DEPTH_MAX = 20;
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };
const PUNCTUATION = /^[!-/:-@[-`{-~ ]$/;

/**
 * Reads a pattern in the part of the syntax in which a search can be bounded: characters, classes, groups, choices,
 * `\b`, and repetitions with an end.
 * @throws PatternRefused for anything else, the syntax that JavaScript tolerates by mistake included
 */
export function readPattern(source: string, isCaseSensitive: boolean): { node: PatternNode; hasGroup: boolean } {
  const reader = new PatternReader(source, isCaseSensitive);
  const node = reader.whole();
  return { node, hasGroup: reader.groups === 1 };
}

/**
 * The expression that takes just that, both cases of a letter written out: it means what was read, whatever JavaScript
 * would have made of the source, and costs the same in every script.
 */
export function expressionOf(node: PatternNode): string {
  if (node.kind === 'set') return `[${node.set.map(([from, to]) => `${unit(from)}-${unit(to)}`).join('')}]`;
  if (node.kind === 'boundary') return node.isNone ? '\\B' : '\\b';
  if (node.kind === 'group') return `(${expressionOf(node.item)})`;
  if (node.kind === 'choice') return `(?:${node.branches.map(expressionOf).join('|')})`;
  if (node.kind === 'sequence') return node.items.map(expressionOf).join('');
  return `(?:${expressionOf(node.item)}){${node.min},${node.max}}${node.isLazy ? '?' : ''}`;
}

const unit = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;

class PatternReader {
  groups = 0;
  private at = 0;
  private depth = 0;

  constructor(
    private readonly source: string,
    private readonly isCaseSensitive: boolean,
  ) {
    if (/[\uD800-\uDFFF]/.test(source)) throw new PatternRefused('characters beyond U+FFFF stand in dictionaries only');
  }

  whole(): PatternNode {
    const node = this.choice();
    if (this.at < this.source.length) throw new PatternRefused(`")" at ${this.at} closes nothing`);
    return node;
  }

  private choice(): PatternNode {
    if ((this.depth += 1) > DEPTH_MAX) throw new PatternRefused(`groups stand ${DEPTH_MAX} deep at most`);
    const branches = [this.sequence()];
    while (this.take('|')) branches.push(this.sequence());
    this.depth -= 1;
    return branches.length === 1 ? branches[0]! : { kind: 'choice', branches };
  }

  private sequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.at < this.source.length && this.peek() !== '|' && this.peek() !== ')') items.push(this.repeated());
    return items.length === 1 ? items[0]! : { kind: 'sequence', items };
  }

  private repeated(): PatternNode {
    const item = this.single();
    const bounds = this.bounds();
    if (bounds === undefined) return item;
    if (item.kind === 'boundary') throw new PatternRefused('a boundary is not repeated');
    const isLazy = this.take('?');
    if ('?*+{'.includes(this.peek() || '.')) throw new PatternRefused(`two repetitions in a row at ${this.at}`);
    return { kind: 'repeat', item, ...bounds, isLazy };
  }

  private bounds(): { min: number; max: number } | undefined {
    if (this.take('?')) return { min: 0, max: 1 };
    const next = this.peek();
    if (next === '*' || next === '+') throw endless(next);
    if (!this.take('{')) return undefined;
    const [whole, least = '', comma, most = ''] =
      /^(\d{1,4})(?:(,)(\d{0,4}))?\}/.exec(this.source.slice(this.at)) ?? [];
    if (whole === undefined) throw new PatternRefused(`"{" at ${this.at - 1} is no repetition; write \\{ for itself`);
    this.at += whole.length;
    if (comma !== undefined && most === '') throw endless(`{${least},}`);
    const min = Number(least);
    const max = comma === undefined ? min : Number(most);
    if (min > max || max === 0) throw new PatternRefused(`{${whole} says nothing`);
    if (max > REPEAT_MAX) throw new PatternRefused(`{${whole} is more than ${REPEAT_MAX} times`);
    return { min, max };
  }

  private single(): PatternNode {
    const character = this.next();
    if (character === '(') return this.group();
    if (character === '[') return this.taking(this.classSet());
    if (character === '.') return { kind: 'set', set: ANY_BUT_LINE_END };
    if (character === '\\') return this.escaped();
    if (character === '^' || character === '$')
      throw new PatternRefused(`"${character}": texts are parts of answers; \\b is where a word begins or ends`);
    if ('*+?{}]'.includes(character))
      throw new PatternRefused(
        `"${character}" at ${this.at - 1} stands behind nothing; write \\${character} for itself`,
      );
    return this.taking(setOf(character.charCodeAt(0)));
  }

  private group(): PatternNode {
    const isCapturing = !this.take('?');
    if (!isCapturing) {
      if (!this.take(':'))
        throw new PatternRefused('of groups there are (...) and (?:...): no names, nothing that looks ahead or behind');
    } else if ((this.groups += 1) > 1)
      throw new PatternRefused('one group (...) says what is found; others are (?:...)');
    const node = this.choice();
    if (!this.take(')')) throw new PatternRefused('a group does not end');
    return isCapturing ? { kind: 'group', item: node } : node;
  }

  private escaped(): PatternNode {
    if (this.take('b')) return { kind: 'boundary', isNone: false };
    if (this.take('B')) return { kind: 'boundary', isNone: true };
    return this.taking(this.escape());
  }

  private escape(): CharacterSet {
    const letter = this.next();
    const ofClass = CLASSES[letter];
    if (ofClass !== undefined) return ofClass;
    const control = CONTROLS[letter];
    if (control !== undefined) return setOf(control);
    if (PUNCTUATION.test(letter)) return setOf(letter.charCodeAt(0));
    if (letter === 'x' || letter === 'u') {
      const digits = this.source.slice(this.at, (this.at += letter === 'x' ? 2 : 4));
      if (digits.length === (letter === 'x' ? 2 : 4) && /^[0-9a-fA-F]+$/.test(digits))
        return setOf(parseInt(digits, 16));
    }
    throw new PatternRefused(`"\\${letter}" is not known here`);
  }

  private classSet(): CharacterSet {
    const isNegated = this.take('^');
    let set: CharacterSet = [];
    while (!this.take(']')) {
      const from = this.inClass();
      const isRange = this.peek() === '-' && this.source[this.at + 1] !== ']';
      if (!isRange) {
        set = union(set, from);
        continue;
      }
      this.at += 1;
      const to = this.inClass();
      const [low, high] = [one(from), one(to)];
      if (low === undefined || high === undefined || low > high)
        throw new PatternRefused('a range goes from one character to a later one');
      set = union(set, [[low, high]]);
    }
    if (set.length === 0) throw new PatternRefused('a class without characters');
    const whole = this.isCaseSensitive ? set : counterparts(set);
    return isNegated ? complement(whole) : whole;
  }

  private inClass(): CharacterSet {
    const character = this.next();
    if (character === '[') throw new PatternRefused('write \\[ for itself');
    if (character !== '\\') return setOf(character.charCodeAt(0));
    if (this.peek() === 'b') throw new PatternRefused('\\b in a class');
    return this.escape();
  }

  private taking(set: CharacterSet): PatternNode {
    return { kind: 'set', set: this.isCaseSensitive ? set : counterparts(set) };
  }

  private peek(): string {
    return this.source[this.at] ?? '';
  }

  private next(): string {
    const character = this.source[this.at];
    if (character === undefined) throw new PatternRefused('the pattern ends too early');
    this.at += 1;
    return character;
  }

  private take(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at += 1;
    return true;
  }
}

const one = (set: CharacterSet): number | undefined =>
  set.length === 1 && set[0]![0] === set[0]![1] ? set[0]![0] : undefined;

const endless = (written: string): PatternRefused =>
  new PatternRefused(`"${written}" has no end: say how often at most, as {1,64}`);
