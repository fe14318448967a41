import { createHash } from 'node:crypto';
import type { ShapeDetector } from '../detector.js';
import { isLetterOrDigit } from './characters.js';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const ADDRESS = /[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])/y;
/** Version, hash of the key, and four bytes of check sum. */
const BYTES = 25;
const CHECKED_BYTES = 21;

/** The bytes of a number written to the base of 58; undefined if they are more than an address has. */
function base58(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(BYTES);
  for (const letter of text) {
    let carry = ALPHABET.indexOf(letter);
    for (let at = BYTES - 1; at >= 0; at -= 1) {
      carry += (bytes[at] as number) * 58;
      bytes[at] = carry & 255;
      carry >>= 8;
    }
    if (carry !== 0) return undefined;
  }
  return bytes;
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

function hasCheckSum(address: string): boolean {
  const bytes = base58(address);
  if (bytes === undefined || (bytes[0] !== 0 && bytes[0] !== 5)) return false;
  const sum = sha256(sha256(bytes.subarray(0, CHECKED_BYTES)));
  return bytes.subarray(CHECKED_BYTES).every((byte, at) => byte === sum[at]);
}

/** Bitcoin addresses, which prove themselves. @see Base58Check */
export const WALLET: ShapeDetector = {
  id: 'pii.wallet-address',
  category: 'pii',
  what: 'Bitcoin address with its check sum',
  fires: ['send to 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2', '"17VZNX1SN5NtKa8UQFxwQbFeFc3iqRYhem"'],
  passes: ['send to 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3', 'sha 1b2c3d4e5f6a7b8c9d1e2f3a4b5c6d7e8f9a1b2c'],
  trigger: 'numbered',
  matchAt(text, at) {
    const start = isOneOrThree(text.charCodeAt(at)) && !isLetterOrDigit(text.charCodeAt(at - 1)) ? at : at + 1;
    if (!isOneOrThree(text.charCodeAt(start)) || isLetterOrDigit(text.charCodeAt(start - 1))) return undefined;
    ADDRESS.lastIndex = start;
    const found = ADDRESS.exec(text)?.[0];
    return found === undefined || !hasCheckSum(found) ? undefined : { start, end: start + found.length };
  },
};

const isOneOrThree = (code: number): boolean => code === 49 || code === 51;
