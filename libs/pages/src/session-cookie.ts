/**
 * The cookie of a browser's session at identity. Pages of other services see it come along, and know by it that the
 * browser is another person's now, or nobody's; what it says they cannot tell.
 */
export function sessionCookieName(isSecure: boolean): string {
  return isSecure ? '__Host-wdr_session' : 'wdr_session';
}
