const SECRETS: readonly [RegExp, string][] = [
  // Our own tokens, well-formed or not: a cut or mistyped one is still most of a secret.
  [/wdr_[A-Za-z0-9_-]{6,}/g, 'wdr_[redacted]'],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, '$1 [redacted]'],
  // A scheme is short; without a bound a text of dots and letters would cost the square of its length.
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:@/"]*):[^\s@/"]+@/gi, '$1:[redacted]@'],
];

/** Takes tokens, `Authorization` values and passwords in URLs out of a text that is about to be logged. */
export function scrub(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of SECRETS) clean = clean.replace(pattern, replacement);
  return clean;
}
