/** Headers of every answer of a controller: JSON for programs, which nothing may frame, sniff, store or refer to. */
export function securityHeaders(isTls: boolean): Record<string, string> {
  return {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...(isTls ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}
