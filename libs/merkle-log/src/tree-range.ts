import type { CompactRange } from './compact-range.js';
import { nodeHashOf } from './tree-hash.js';

/**
 * A tree of which the leaves from some index on are known, and of what is before only the compact range. Makes proofs
 * for the leaves that it knows.
 */
export class TreeRange {
  /** Hashes of whole subtrees by their start and size: the beginning's, and what was computed. */
  private readonly whole = new Map<string, Buffer>();
  readonly from: number;

  /** @param leaves - leaf hashes from the beginning's size on */
  constructor(
    beginning: CompactRange,
    private readonly leaves: readonly Buffer[],
  ) {
    this.from = beginning.size;
    let start = 0;
    for (const hash of beginning.hashes) {
      const count = largestPowerOfTwo(this.from - start);
      this.whole.set(`${start}+${count}`, hash);
      start += count;
    }
  }

  get size(): number {
    return this.from + this.leaves.length;
  }

  /** The root of the first `size` leaves; `size` is not smaller than the beginning. */
  root(size = this.size): Buffer {
    return this.hashOf(0, size);
  }

  /**
   * The path of a leaf in the tree of `size` leaves, from the leaf up (RFC 6962 section 2.1.1).
   * @throws RangeError for a leaf that is not known
   */
  inclusionProof(index: number, size = this.size): Buffer[] {
    if (index < this.from || index >= size || size > this.size) throw new RangeError(`leaf ${index} is not known`);
    const path: Buffer[] = [];
    for (let start = 0, end = size; end - start > 1;) {
      const middle = start + splitOf(end - start);
      if (index < middle) {
        path.push(this.hashOf(middle, end));
        end = middle;
      } else {
        path.push(this.hashOf(start, middle));
        start = middle;
      }
    }
    return path.reverse();
  }

  /**
   * That the tree of `size` leaves begins with the one of `first` (RFC 6962 section 2.1.2).
   * @throws RangeError where `first` lies in the part whose leaves are not known, or behind `size`
   */
  consistencyProof(first: number, size = this.size): Buffer[] {
    if (first < Math.max(1, this.from) || first > size || size > this.size) {
      throw new RangeError(`no proof from ${first} to ${size}`);
    }
    const path: Buffer[] = [];
    let [start, end] = [0, size];
    // The old tree's own root is left out where it is a whole subtree: the verifier has it.
    while (end !== first) {
      const middle = start + splitOf(end - start);
      if (first <= middle) {
        path.push(this.hashOf(middle, end));
        end = middle;
      } else {
        path.push(this.hashOf(start, middle));
        start = middle;
      }
    }
    if (start > 0) path.push(this.hashOf(start, end));
    return path.reverse();
  }

  private hashOf(start: number, end: number): Buffer {
    if (end - start === 1 && start >= this.from) return this.leaves[start - this.from]!;
    const name = `${start}+${end - start}`;
    const known = this.whole.get(name);
    if (known !== undefined) return known;
    if (end - start === 1) throw new RangeError(`leaf ${start} is not known`);
    const middle = start + splitOf(end - start);
    const hash = nodeHashOf(this.hashOf(start, middle), this.hashOf(middle, end));
    if (largestPowerOfTwo(end - start) === end - start) this.whole.set(name, hash);
    return hash;
  }
}

/** The largest power of two that is smaller than a count above 1: where a tree is split. */
function splitOf(count: number): number {
  return largestPowerOfTwo(count - 1);
}

function largestPowerOfTwo(count: number): number {
  let power = 1;
  while (power * 2 <= count) power *= 2;
  return power;
}
