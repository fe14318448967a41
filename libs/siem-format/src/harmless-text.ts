import { stringifyJson } from '@warder/mcp-wire';

// A backslash pair is passed over as one, so that the text `\\u0000` (a backslash and "u0000") stays what it is.
const ESCAPE = /\\(?:u0000|u[dD][89a-fA-F][0-9a-fA-F]{2}|[^])/g;
// What JSON leaves as it is although some receiver takes it for the end of a line, a control character or a BOM.
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028\u2029\ufeff]/g;
const UNSAFE_IN_TEXT = /[\p{Cc}\p{Surrogate}\u2028\u2029\ufeff]/gu;

/**
 * JSON of a value on one line that no receiver can take for two: everything but a space that does not print is escaped.
 * NUL and lone surrogates, which some parsers refuse together with the whole event, become U+FFFD.
 * @throws JsonError (depth) for a value nested too deeply
 */
export function jsonLine(value: unknown): string {
  const json = stringifyJson(value);
  // Both are rare, and a search costs less than a replacement that finds nothing.
  const whole = json.includes('\\u') ? json.replace(ESCAPE, (found) => (found.length > 2 ? '\ufffd' : found)) : json;
  return whole.replace(UNSAFE_IN_JSON, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The text with U+FFFD for each character that ends a line, controls a terminal, or is half of a pair. */
export function plainText(text: string): string {
  return text.replace(UNSAFE_IN_TEXT, '\ufffd');
}
