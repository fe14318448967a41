import { AuditRecord } from '@warder/contracts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A message's text, or why it is no audit record. The reason names places, never values. */
export type ReadRecord = { readonly text: string } | { readonly reason: string };

/**
 * Reads one message. The text may stand in a JSON array, for it was parsed: a message like `{}],[{}` is not let
 * through.
 */
export function readRecord(value: Buffer): ReadRecord {
  let text: string;
  let parsed: unknown;
  try {
    text = utf8.decode(value);
  } catch {
    return { reason: 'not UTF-8' };
  }
  try {
    parsed = JSON.parse(text);
  } catch {
    return { reason: 'not JSON' };
  }
  // An export hands out a record as a line.
  if (/[\r\n]/.test(text)) return { reason: 'not one line' };
  const read = AuditRecord.safeParse(parsed);
  if (read.success) return { text };
  const places = read.error.issues.slice(0, 5).map(({ path, code }) => `${path.map(String).join('.')}: ${code}`);
  return { reason: `not an audit record: ${places.join(', ')}` };
}
