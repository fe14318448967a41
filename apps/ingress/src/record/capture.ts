import { hash } from 'node:crypto';
import { CAPTURE_BYTES_MAX, type CaptureLevel } from '@warder/contracts';

/** What of one value is kept. */
export type Kept = 'nothing' | 'bytes' | 'hash' | 'whole';

/** What a level keeps of arguments. */
export const KEPT_OF_ARGUMENTS: Readonly<Record<CaptureLevel, Kept>> = {
  none: 'nothing',
  metadata: 'bytes',
  hashes: 'hash',
  request: 'whole',
  full: 'whole',
};
/** What a level keeps of a result. */
export const KEPT_OF_RESULT: Readonly<Record<CaptureLevel, Kept>> = { ...KEPT_OF_ARGUMENTS, request: 'hash' };

/**
 * The JSON text of a Capture: the value as its own JSON text, or past 16 KiB its first bytes, its length and its
 * SHA-256. Costs no second serialisation.
 * @param json - JSON text of the redacted value
 */
export function captureText(json: string, kept: Kept = 'whole'): string {
  if (kept === 'nothing') return 'null';
  const bytes = Buffer.byteLength(json);
  if (kept === 'bytes') return `{"bytes":${bytes}}`;
  if (kept === 'hash') return `{"bytes":${bytes},"sha256":"${hash('sha256', json)}"}`;
  if (bytes <= CAPTURE_BYTES_MAX) return `{"bytes":${bytes},"value":${json}}`;
  const whole = Buffer.from(json);
  const sha256 = hash('sha256', whole);
  const head = whole.toString('utf8', 0, characterEnd(whole, CAPTURE_BYTES_MAX));
  return `{"bytes":${bytes},"head":${JSON.stringify(head)},"sha256":"${sha256}"}`;
}

/** The last end of a whole UTF-8 character at or before `at`. */
function characterEnd(bytes: Buffer, at: number): number {
  let end = at;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return end;
}
