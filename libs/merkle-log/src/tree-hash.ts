import { createHash, hash } from 'node:crypto';

/** Bytes of one hash of the tree. */
export const HASH_BYTES = 32;

const LEAF = Buffer.from([0]);
/** Room for a leaf behind what it begins with: to hash copied kilobytes in one call takes a quarter off an append. */
const LEAF_BYTES = Buffer.alloc(16_384);
/** A node's bytes: what it begins with, and room for its children. Hashed in one call, for that costs half. */
const NODE = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** The root of a tree without a leaf (RFC 6962 section 2.1). */
export const EMPTY_ROOT = createHash('sha256').digest();

/**
 * The hash of a leaf (RFC 6962 section 2.1). What a leaf and a node begin with differs, so that a node cannot be
 * passed off as a leaf.
 * @param parts - the leaf's bytes, in any number of pieces
 */
export function leafHashOf(...parts: readonly Uint8Array[]): Buffer {
  let at = 1;
  for (const part of parts) {
    if (at + part.length > LEAF_BYTES.length) return longLeafHashOf(parts);
    LEAF_BYTES.set(part, at);
    at += part.length;
  }
  return hash('sha256', LEAF_BYTES.subarray(0, at), 'buffer');
}

function longLeafHashOf(parts: readonly Uint8Array[]): Buffer {
  const running = createHash('sha256').update(LEAF);
  for (const part of parts) running.update(part);
  return running.digest();
}

/** The hash of a node over its two children. */
export function nodeHashOf(left: Uint8Array, right: Uint8Array): Buffer {
  NODE.set(left, 1);
  NODE.set(right, 1 + HASH_BYTES);
  return hash('sha256', NODE, 'buffer');
}
