import { FOLD } from '../gram-table.js';
import type { CharacterSet } from './character-set.js';
import type { PatternNode } from './pattern-syntax.js';

/** Grams that a pattern may be asked at: more, and it would be asked everywhere. */
const GRAMS_MAX = 1_024;
const FOLDS = 32;
const GRAM = 3;

/** The longest text that the pattern takes, in UTF-16 units. */
export function longest(node: PatternNode): number {
  if (node.kind === 'set') return 1;
  if (node.kind === 'boundary') return 0;
  if (node.kind === 'group') return longest(node.item);
  if (node.kind === 'repeat') return node.max * longest(node.item);
  if (node.kind === 'choice') return Math.max(...node.branches.map(longest));
  return node.items.reduce((sum, item) => sum + longest(item), 0);
}

/**
 * Three characters in a row, as the scanner folds them, one of which stands in every text that the pattern takes: the
 * fewest that can be had. Undefined where there is nothing that all of them have, or it could be nearly anything.
 */
export function requiredGrams(node: PatternNode): readonly number[] | undefined {
  const found = new RequiredGrams();
  found.read(node);
  return found.best();
}

/** The folds of a set's characters; a set of 128 characters in a row has all of them. */
export function foldsOf(set: CharacterSet): ReadonlySet<number> {
  const folds = new Set<number>();
  for (const [from, to] of set)
    for (let code = from; code <= to && code < from + 128; code += 1) folds.add(FOLD[code & 127] ?? 0);
  return folds;
}

class RequiredGrams {
  /** Characters that stand next to each other in every match. */
  private run: ReadonlySet<number>[] = [];
  private readonly candidates: ReadonlySet<number>[] = [];

  read(node: PatternNode): void {
    if (node.kind === 'set') this.add(foldsOf(node.set));
    else if (node.kind === 'sequence') for (const item of node.items) this.read(item);
    else if (node.kind === 'group') this.read(node.item);
    else if (node.kind === 'repeat') this.repeat(node);
    else if (node.kind === 'choice') this.choice(node.branches);
  }

  best(): readonly number[] | undefined {
    const [best] = this.candidates.toSorted((one, other) => one.size - other.size);
    return best === undefined ? undefined : [...best];
  }

  private repeat({ item, min, max }: Extract<PatternNode, { kind: 'repeat' }>): void {
    if (min > 0) for (let times = 0; times < Math.min(min, GRAM); times += 1) this.read(item);
    if (min === max && min <= GRAM) return;
    this.run = [];
    // What follows stands behind the last of them, whatever came between.
    if (min > 0 && item.kind === 'set')
      this.run = Array.from({ length: Math.min(min, GRAM - 1) }, () => foldsOf(item.set));
  }

  private choice(branches: readonly PatternNode[]): void {
    this.run = [];
    const each = branches.map(requiredGrams);
    if (each.some((grams) => grams === undefined)) return;
    const together = new Set(each.flatMap((grams) => grams ?? []));
    if (together.size <= GRAMS_MAX) this.candidates.push(together);
  }

  private add(folds: ReadonlySet<number>): void {
    this.run.push(folds);
    if (this.run.length < GRAM) return;
    const [first, second, third] = this.run.slice(-GRAM) as [
      ReadonlySet<number>,
      ReadonlySet<number>,
      ReadonlySet<number>,
    ];
    if (first.size * second.size * third.size > GRAMS_MAX || first.size === FOLDS) return;
    const grams = new Set<number>();
    for (const one of first)
      for (const two of second) for (const three of third) grams.add((one << 10) | (two << 5) | three);
    this.candidates.push(grams);
  }
}
