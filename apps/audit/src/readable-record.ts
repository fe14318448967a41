import { AuditRecord, quickCheck } from '@warder/contracts';

// A mark before the text is no part of a record, and JSON.parse says so.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const isRecord = quickCheck(AuditRecord);

/** A message's record, or why it is none. The reason names places, never values. */
export type ReadRecord = { readonly record: AuditRecord } | { readonly reason: string };

/**
 * Reads one message. Its bytes are one line of JSON that the store's own parser reads too: a text that no database
 * holds is told here, for the store would refuse the whole batch and say no place.
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
  if (value.includes('\n') || value.includes('\r')) return { reason: 'not one line' };
  if (!isRecord(parsed)) {
    const read = AuditRecord.safeParse(parsed);
    if (!read.success) {
      const places = read.error.issues.slice(0, 5).map(({ path, code }) => `${path.map(String).join('.')}: ${code}`);
      return { reason: `not an audit record: ${places.join(', ')}` };
    }
  }
  if (mayHoldBrokenText(value) && holdsBrokenText(text)) {
    return { reason: 'a text with a NUL or half of a surrogate pair' };
  }
  return { record: parsed as AuditRecord };
}

/** Whether an escape stands in the bytes that could be a NUL or a surrogate; the bytes themselves are whole UTF-8. */
function mayHoldBrokenText(value: Buffer): boolean {
  return value.includes('\\u0000') || value.includes('\\ud') || value.includes('\\uD');
}

/** Reads the text and not what was parsed, which has only the last of two members of one name. */
function holdsBrokenText(text: string): boolean {
  const escapes = /\\u(?:d[89ab][\da-f]{2}\\ud[c-f][\da-f]{2}|([\da-f]{4}))|\\[^u]/gi;
  for (const [, unit] of text.matchAll(escapes)) {
    if (unit !== undefined && /^(?:0000|d[89a-f])/i.test(unit)) return true;
  }
  return false;
}
