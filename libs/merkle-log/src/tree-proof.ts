import { nodeHashOf } from './tree-hash.js';

/**
 * The root that a leaf and its path lead to (RFC 9162 section 2.1.3.2), or `undefined` where the path has another
 * length than one of that leaf in a tree of that size.
 */
export function rootOfInclusion(
  index: number,
  size: number,
  leafHash: Uint8Array,
  path: readonly Uint8Array[],
): Buffer | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined;
  let [node, last] = [index, size - 1];
  let root: Buffer = Buffer.from(leafHash);
  for (const hash of path) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      root = nodeHashOf(hash, root);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      root = nodeHashOf(root, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 ? root : undefined;
}

/** Whether the leaf stands at the index in the tree of that size and root. */
export function verifyInclusion(
  place: { readonly index: number; readonly size: number; readonly root: Uint8Array },
  leafHash: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  return rootOfInclusion(place.index, place.size, leafHash, path)?.equals(place.root) ?? false;
}

/** Size and root of a tree. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether the second tree begins with the first one (RFC 9162 section 2.1.4.2). */
export function verifyConsistency(first: TreeHead, second: TreeHead, path: readonly Uint8Array[]): boolean {
  if (first.size > second.size || first.size < 0) return false;
  if (first.size === second.size) return path.length === 0 && Buffer.from(first.root).equals(second.root);
  if (first.size === 0) return path.length === 0;
  const hashes = isPowerOfTwo(first.size) ? [first.root, ...path] : path;
  const [seed, ...others] = hashes;
  if (seed === undefined) return false;
  let [node, last] = [first.size - 1, second.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [older, newer]: [Buffer, Buffer] = [Buffer.from(seed), Buffer.from(seed)];
  for (const hash of others) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      older = nodeHashOf(hash, older);
      newer = nodeHashOf(hash, newer);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newer = nodeHashOf(newer, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && older.equals(first.root) && newer.equals(second.root);
}

// Not the shift operators: they cut numbers to 32 bits.
const half = (value: number): number => Math.floor(value / 2);

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}
