import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The bearer with which an ingress node asks a service of Warder for a principal: who asks, and a proof that a node says
 * so. The key never travels, and neither does the caller's own token.
 * @param key - shared by ingress and the service, 32 characters or more
 * @param principalId - empty for a question of the node itself
 */
export function onBehalfBearer(key: string, principalId: string): string {
  return `${Buffer.from(principalId).toString('base64url')}.${proofOf(key, principalId).toString('base64url')}`;
}

/** Who asks with a bearer, the empty string for a node itself; undefined where no node said so. */
export function principalOfBearer(key: string, bearer: string): string | undefined {
  const [who = '', proof = '', ...rest] = bearer.split('.');
  const principalId = Buffer.from(who, 'base64url').toString();
  const expected = proofOf(key, principalId);
  const given = Buffer.from(proof, 'base64url');
  if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return principalId;
}

function proofOf(key: string, principalId: string): Buffer {
  return createHmac('sha256', key).update(`warder on behalf of ${principalId}`).digest();
}
