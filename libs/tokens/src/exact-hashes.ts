import { createHmac, hkdfSync } from 'node:crypto';
import type { Peppers } from './principal-directory.js';

const KEY_BYTES = 32;
/** Of a digest, what a list keeps: chance does not meet it, and a message has room for 20,000. */
const HASH_BYTES = 16;

/**
 * The keyed hashes of exact values, by the id of the key: one for each configured pepper, from which it is derived, so
 * that a list is read for as long as its pepper is configured and a hash says nothing of a token's digest.
 */
export function exactHashes(peppers: Peppers): ReadonlyMap<string, (normal: string) => string> {
  return new Map(
    Object.entries(peppers).map(([keyId, pepper]) => {
      const key = Buffer.from(hkdfSync('sha256', pepper, '', 'warder exact values v1', KEY_BYTES));
      return [
        keyId,
        (normal) => createHmac('sha256', key).update(normal).digest().subarray(0, HASH_BYTES).toString('base64url'),
      ];
    }),
  );
}
