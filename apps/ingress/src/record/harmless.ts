// A backslash pair is passed over as one, so that the text `\\u0000` (a backslash and "u0000") stays what it is.
const ESCAPE = /\\(?:u0000|u[dD][89a-fA-F][0-9a-fA-F]{2}|[^])/g;

/**
 * Makes JSON text harmless for stores that cannot hold NUL or a lone surrogate (Postgres refuses both): each becomes
 * U+FFFD. JSON.stringify writes paired surrogates unescaped, so every escaped one that it wrote is alone.
 * @param json - as `stringifyJson` wrote it
 */
export function harmless(json: string): string {
  // Other escapes of this form stand for control characters and are rare: one pass settles it for nearly every text.
  if (!json.includes('\\u')) return json;
  return json.replace(ESCAPE, (escape) => (escape.length > 2 ? '\ufffd' : escape));
}
