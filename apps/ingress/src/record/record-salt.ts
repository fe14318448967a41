import { randomFillSync } from 'node:crypto';

const SALT_BYTES = 16;
// Random bytes by the thousand: one by one they cost more than the rest of a record's text.
const pool = Buffer.alloc(4_096);
let used = pool.length;

/**
 * 128 random bits as base64url, 22 characters. Every record has its own, and no salt comes twice: after the erasure of
 * the record's personal bytes nobody can find by trying what their commitment is of.
 */
export function newSalt(): string {
  if (used + SALT_BYTES > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += SALT_BYTES;
  return pool.toString('base64url', used - SALT_BYTES, used);
}
