import { createPrivateKey, sign } from 'node:crypto';
import { z } from 'zod';
import { parsed, parsedJson } from './parsed.js';
import { SecretUnusable, type TokenExchange } from './provider-kind.js';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const LIFE_S = 3_600;
const ServiceAccount = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key_id: z.string().optional(),
  private_key: z.string().min(1),
});
const Token = z.object({
  access_token: z.string().min(1).max(16_384),
  expires_in: z.number().positive(),
  token_type: z.string().regex(/^bearer$/i),
});

/**
 * An access token for the key of a service account, as the JSON file that Google hands out.
 * @param tokenUrl - is the audience too; what the key's file says of it is not believed
 * @see RFC 7523 section 2.1; Google, "Using OAuth 2.0 for Server to Server Applications"
 */
export function googleToken(tokenUrl: string): TokenExchange {
  const url = new URL(tokenUrl);
  return {
    origin: url,
    request: (secret, { wallMs }) => ({
      path: url.pathname + url.search,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: assertion(secret, tokenUrl, wallMs),
      }).toString(),
    }),
    read: (answer) => {
      const { access_token: token, expires_in: seconds } = parsed(Token, answer);
      return { token, expiresInMs: Math.min(seconds, LIFE_S) * 1_000 };
    },
  };
}

function assertion(secret: string, audience: string, wallMs: number): string {
  try {
    const account = parsed(ServiceAccount, parsedJson(secret));
    const key = createPrivateKey(account.private_key);
    const nowS = Math.floor(wallMs / 1_000);
    const head = {
      alg: 'RS256',
      typ: 'JWT',
      ...(account.private_key_id === undefined ? {} : { kid: account.private_key_id }),
    };
    const claims = { iss: account.client_email, scope: SCOPE, aud: audience, iat: nowS, exp: nowS + LIFE_S };
    const text = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  } catch {
    throw new SecretUnusable('not the JSON key of a service account');
  }
}
