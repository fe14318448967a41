import { createHash } from 'node:crypto';
import { CAPTURE_BYTES_MAX } from '@warder/contracts';

/**
 * The JSON text of a Capture: the value as its own JSON text, or past 16 KiB its first bytes, its length and its
 * SHA-256. Costs no second serialisation.
 * @param json - JSON text of the redacted value
 */
export function captureText(json: string): string {
  const bytes = Buffer.byteLength(json);
  if (bytes <= CAPTURE_BYTES_MAX) return `{"bytes":${bytes},"value":${json}}`;
  const whole = Buffer.from(json);
  const sha256 = createHash('sha256').update(whole).digest('hex');
  const head = whole.toString('utf8', 0, characterEnd(whole, CAPTURE_BYTES_MAX));
  return `{"bytes":${bytes},"head":${JSON.stringify(head)},"sha256":"${sha256}"}`;
}

/** The last end of a whole UTF-8 character at or before `at`. */
function characterEnd(bytes: Buffer, at: number): number {
  let end = at;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return end;
}
