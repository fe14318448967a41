import type { GuardedFetch } from '@warder/egress';
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';

const TIMEOUT_MS = 5_000;
/** Milliseconds in which keys are fetched once at most, whatever key ids are presented: a storm of them costs us nothing. */
const COOLDOWN_MS = 30_000;
const KEPT_MS = 600_000;
const KEYS_MAX = 100;

/**
 * The keys of an issuer, from its address. In a SPIFFE bundle (SPIFFE Trust Domain and Bundle section 4.2.2) those for
 * JWTs say so by a `use` of their own, and those for certificates are none of ours.
 */
export function remoteKeys(uri: string, fetchGuarded: GuardedFetch): JWTVerifyGetKey {
  const fetchKeys = async (url: string, init?: RequestInit): Promise<Response> => {
    const response = await fetchGuarded(url, init);
    if (response.status !== 200) throw new Error(`the keys answer ${response.status}`);
    const { keys } = (await response.json()) as { keys?: unknown };
    if (!Array.isArray(keys) || keys.length > KEYS_MAX) throw new Error('no set of keys');
    return Response.json({ keys: keys.filter(isForTokens).map(asSigning) });
  };
  return createRemoteJWKSet(new URL(uri), {
    [customFetch]: fetchKeys as never,
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: KEPT_MS,
  });
}

function isForTokens(key: unknown): key is object {
  return typeof key === 'object' && key !== null && (key as { use?: unknown }).use !== 'x509-svid';
}

function asSigning(key: object): object {
  return (key as { use?: unknown }).use === 'jwt-svid' ? { ...key, use: 'sig' } : key;
}
