import { CompactRange } from './compact-range.js';
import { leafHashOf, nodeHashOf } from './tree-hash.js';

/** The leaf of no bytes: no record has it, for a record ends with a brace at least. */
const UNKNOWN_LEAF = leafHashOf(Buffer.alloc(0));

/**
 * The tree of a log that was written to before it had one: each of its first `size` leaves is the leaf of no bytes. Whoever
 * verifies a tree that goes on from it can tell where it begins, and that it says nothing of what was before.
 * @throws RangeError where the size is no number of leaves
 */
export function unknownBeginning(size: number): CompactRange {
  const hashes: Buffer[] = [];
  let whole = UNKNOWN_LEAF;
  for (let bits = size; bits >= 1; bits = Math.floor(bits / 2)) {
    if (bits % 2 === 1) hashes.unshift(whole);
    whole = nodeHashOf(whole, whole);
  }
  return new CompactRange(size, hashes);
}
