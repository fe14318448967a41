import { createHmac } from 'node:crypto';

/**
 * Digest under which a token is stored and looked up: HMAC-SHA-256 of the whole text, base64url. The pepper keeps
 * whoever can write the table or the topic from minting a token; 256 random bits need no slow hash.
 */
export function digestOf(text: string, pepper: string): string {
  return createHmac('sha256', pepper).update(text).digest('base64url');
}
