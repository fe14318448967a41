import { randomBytes } from 'node:crypto';

const POOL_BYTES = 4_096;
/** Hex digits that one id takes: 3 after the version, 1 for the variant, 3 after it, 12 at the end. */
const DIGITS = 19;
const VARIANTS = '89ab';

let pool = '';
let used = 0;

/**
 * A UUIDv7: ordered by time to the millisecond, 74 bits at random.
 * @param nowMs - wall milliseconds
 * @see RFC 9562 section 5.7
 */
export function newRecordId(nowMs: number): string {
  if (used + DIGITS > pool.length) {
    // Random bytes by the thousand: one by one they cost more than the rest of the id.
    pool = randomBytes(POOL_BYTES).toString('hex');
    used = 0;
  }
  const at = used;
  used += DIGITS;
  const time = Math.floor(nowMs).toString(16).padStart(12, '0');
  const variant = VARIANTS[pool.charCodeAt(at) & 3];
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-7${pool.slice(at + 1, at + 4)}-` +
    `${variant}${pool.slice(at + 4, at + 7)}-${pool.slice(at + 7, at + 19)}`
  );
}
