import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4_096;
const pool = Buffer.alloc(POOL_BYTES);
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
let used = POOL_BYTES;

/**
 * A UUIDv7: ordered by time to the millisecond, 74 bits at random.
 * @param nowMs - wall milliseconds
 * @see RFC 9562 section 5.7
 */
export function newRecordId(nowMs: number): string {
  if (used + 10 > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const time = Math.floor(nowMs).toString(16).padStart(12, '0');
  const at = used;
  used += 10;
  const byte = (offset: number) => HEX[pool[at + offset]!]!;
  const version = HEX[(pool[at]! & 0x0f) | 0x70]! + byte(1);
  const variant = HEX[(pool[at + 2]! & 0x3f) | 0x80]! + byte(3);
  const tail = byte(4) + byte(5) + byte(6) + byte(7) + byte(8) + byte(9);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${tail}`;
}
