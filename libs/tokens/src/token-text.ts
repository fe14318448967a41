import { crc32 } from 'node:zlib';

/** What secret scanners look for; also tells a person which product the text belongs to. */
const TOKEN_PREFIX = 'wdr_';
/** Of secrets of service accounts, which are no tokens, but have their form. */
export const SECRET_PREFIX = 'wds_';
export type TextPrefix = typeof TOKEN_PREFIX | typeof SECRET_PREFIX;
/** Characters of a token: the prefix, and 36 bytes as base64url. */
export const TOKEN_CHARS = 52;
const SECRET_BYTES = 32;
const CHECKSUM_BYTES = 4;
/** 36 bytes are 48 characters of base64url without padding or spare bits, so each token has one spelling. */
const FORMS = { [TOKEN_PREFIX]: /^wdr_[A-Za-z0-9_-]{48}$/, [SECRET_PREFIX]: /^wds_[A-Za-z0-9_-]{48}$/ };

/**
 * A new personal access token: `wdr_` and the base64url of 32 random bytes and their CRC-32 (big-endian); or, by its
 * prefix, a secret of a service account.
 * @param random - a cryptographic source of that many bytes
 */
export function issueToken(random: (bytes: number) => Uint8Array, prefix: TextPrefix = TOKEN_PREFIX): string {
  const secret = random(SECRET_BYTES);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32BE(crc32(secret));
  return prefix + Buffer.concat([secret, checksum]).toString('base64url');
}

/** Whether the text could have been issued: tells a token of another time from a text that never was one. */
export function isWellFormed(text: string, prefix: TextPrefix = TOKEN_PREFIX): boolean {
  if (!FORMS[prefix].test(text)) return false;
  const bytes = Buffer.from(text.slice(prefix.length), 'base64url');
  return crc32(bytes.subarray(0, SECRET_BYTES)) === bytes.readUInt32BE(SECRET_BYTES);
}
