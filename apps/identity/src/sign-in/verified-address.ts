const ADDRESS_LENGTH_MAX = 320;
/** Entra ID writes a boolean as a number or as text at times, others as text. */
const YES: readonly unknown[] = [true, 1, '1', 'true'];

/**
 * The address of an ID token, if the provider says that it is the person's: people are recognised by it.
 * @param claim - that says so (OpenID Connect Core section 5.1: `email_verified`)
 * @returns null where there is none, or nobody vouches for it
 */
export function verifiedAddress(claims: Readonly<Record<string, unknown>>, claim: string): string | null {
  const { email } = claims;
  if (typeof email !== 'string' || email === '' || email.length > ADDRESS_LENGTH_MAX) return null;
  return Object.hasOwn(claims, claim) && YES.includes(claims[claim]) ? email : null;
}
