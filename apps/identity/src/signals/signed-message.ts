import { errors, jwtVerify, type JWTPayload } from 'jose';
import type { SenderKeys } from './sender-keys.js';

const SKEW_S = 60;
/** Characters of an id that is remembered. */
const TOKEN_ID_CHARS_MAX = 500;

/** What of a message did not hold, in the words of RFC 8935 section 2.4. */
export type MessageFault = 'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience';

/** The message is not taken. */
export class MessageRefused extends Error {
  override readonly name = 'MessageRefused';
  constructor(
    readonly fault: MessageFault,
    detail: string,
  ) {
    super(detail);
  }
}

export interface MessageTerms {
  /** Pinned, so that no other token of the same signer passes for one of these (RFC 8725 section 3.11). */
  readonly type: 'secevent+jwt' | 'global-token-revocation+jwt';
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly keys: SenderKeys;
  /** Seconds since `iat`. */
  readonly ageMaxS: number;
  /** Whether it must name its end. */
  readonly needsExpiry: boolean;
}

/**
 * The claims of a message that its sender signed for us, young enough and with an id.
 * @throws MessageRefused; KeysAway where nothing can be said now
 */
export async function verifiedMessage(
  text: string,
  terms: MessageTerms,
  nowMs: number,
): Promise<JWTPayload & { jti: string; iat: number }> {
  const { type: typ, issuer, audience, algorithms, keys, ageMaxS, needsExpiry } = terms;
  try {
    const { payload } = await jwtVerify(text, keys.find, {
      typ,
      issuer,
      audience: [...audience],
      algorithms: [...algorithms],
      requiredClaims: ['jti', 'iat', ...(needsExpiry ? ['exp'] : [])],
      maxTokenAge: ageMaxS,
      clockTolerance: SKEW_S,
      currentDate: new Date(nowMs),
    });
    const { jti, iat } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > TOKEN_ID_CHARS_MAX || iat === undefined)
      throw new MessageRefused('invalid_request', 'jti: not an id');
    return { ...payload, jti, iat };
  } catch (error) {
    throw error instanceof errors.JOSEError ? refusedBy(error) : error;
  }
}

/** Until when a message of this age could be taken, in wall milliseconds. */
export function takenUntilMs({ ageMaxS }: Pick<MessageTerms, 'ageMaxS'>, { iat }: { readonly iat: number }): number {
  return (iat + ageMaxS + 2 * SKEW_S) * 1_000;
}

function refusedBy(error: errors.JOSEError): MessageRefused {
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    const { claim, reason } = error;
    const fault = claim === 'iss' ? 'invalid_issuer' : claim === 'aud' ? 'invalid_audience' : 'invalid_request';
    return new MessageRefused(fault, `${claim}: ${reason}`);
  }
  const isKey =
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
  return new MessageRefused(isKey ? 'invalid_key' : 'invalid_request', error.code);
}
