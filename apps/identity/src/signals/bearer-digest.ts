import { createHash, timingSafeEqual } from 'node:crypto';

const DIGEST_PREFIX = 'sha256:';
const BEARER = /^Bearer +([\x21-\x7e]{1,8000}) *$/i;

/** The digest of a configured secret, which may be written as its digest already. */
export function configuredDigest(secret: string): Buffer {
  return secret.startsWith(DIGEST_PREFIX) ? Buffer.from(secret.slice(DIGEST_PREFIX.length), 'hex') : digestOf(secret);
}

/** Whether the header has the secret of this digest, in constant time. Who sends a digest has sent no secret. */
export function isBearerOf(authorization: string | undefined, digest: Buffer): boolean {
  return timingSafeEqual(digestOf(bearerOf(authorization) ?? ''), digest);
}

/** The credential of a `Bearer` header (RFC 6750 section 2.1). */
export function bearerOf(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1];
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
