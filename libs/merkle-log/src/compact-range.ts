import { EMPTY_ROOT, HASH_BYTES, nodeHashOf } from './tree-hash.js';

/**
 * A tree of any size as the hashes of its whole subtrees, the largest first: one for each bit that is set in the size.
 * Enough to append to the tree and to tell its root, without any of its leaves.
 */
export class CompactRange {
  private readonly stack: Buffer[];
  private leaves: number;

  /** @throws RangeError where the hashes are not as many as a tree of that size has whole subtrees */
  constructor(size = 0, hashes: readonly Uint8Array[] = []) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('the size of a tree is a number of leaves');
    if (hashes.length !== subtreesOf(size)) throw new RangeError(`a tree of ${size} has other subtrees`);
    if (hashes.some(({ length }) => length !== HASH_BYTES)) throw new RangeError('a hash has 32 bytes');
    this.leaves = size;
    this.stack = hashes.map((hash) => Buffer.from(hash));
  }

  /** Leaves in the tree. */
  get size(): number {
    return this.leaves;
  }

  /** The whole subtrees, the largest first. */
  get hashes(): readonly Buffer[] {
    return this.stack;
  }

  /** Appends the hash of one leaf; costs one hash on average. */
  append(leafHash: Uint8Array): void {
    let hash: Buffer = Buffer.from(leafHash);
    // Each bit that carries is a subtree that has become whole.
    for (let bits = this.leaves; bits % 2 === 1; bits = Math.floor(bits / 2))
      hash = nodeHashOf(this.stack.pop()!, hash);
    this.stack.push(hash);
    this.leaves++;
  }

  /** The root (RFC 6962 section 2.1). */
  root(): Buffer {
    let root = this.stack.at(-1) ?? EMPTY_ROOT;
    for (let at = this.stack.length - 2; at >= 0; at--) root = nodeHashOf(this.stack[at]!, root);
    return root;
  }

  copy(): CompactRange {
    return new CompactRange(this.leaves, this.stack);
  }
}

/** How many whole subtrees a tree has: the bits that are set in its size. */
export function subtreesOf(size: number): number {
  let count = 0;
  for (let bits = size; bits > 0; bits = Math.floor(bits / 2)) count += bits % 2;
  return count;
}
