import { createPrivateKey, generateKeyPair, type JsonWebKey, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';

/** RS256 is what every server has to take (RFC 7518 section 3.1); ES256 is what most prefer. */
export const CLIENT_KEY_ALGORITHMS = ['RS256', 'ES256'] as const;
export type ClientKeyAlgorithm = (typeof CLIENT_KEY_ALGORITHMS)[number];

const MODULUS_BITS = 2_048;
/** Generations that the store keeps at a time: one that signs, one that comes, those that are read still. */
export const GENERATIONS_MAX = 4;

const PrivateJwk = z.record(z.string(), z.string());
const Generation = z.strictObject({
  id: z.string().regex(/^[\w-]{8}$/),
  madeAtMs: z.number(),
  /** From then on it signs: until then whoever keeps our keys for a while may not know it. */
  signsFromMs: z.number(),
  /** From then on it is told nobody any more; null while no other follows. */
  goneAtMs: z.number().nullable(),
  keys: z.strictObject({ RS256: PrivateJwk, ES256: PrivateJwk }),
});
export type KeyGeneration = z.infer<typeof Generation>;

/** What the secret store holds: the private keys with which the gateway proves itself at providers, the oldest first. */
export const ClientKeyRing = z.strictObject({ generations: z.array(Generation).min(1).max(GENERATIONS_MAX) });
export type ClientKeyRing = z.infer<typeof ClientKeyRing>;

/** How keys follow each other; all milliseconds. */
export interface TurnTerms {
  /** A new key is published so long before it signs. */
  readonly aheadMs: number;
  /** The old one is published so long after it signed for the last time. */
  readonly overlapMs: number;
}

const generatePair = promisify(generateKeyPair);

/** A pair of keys of each algorithm, made outside of the event loop's thread. */
export async function makeKeys(): Promise<KeyGeneration['keys']> {
  const [rsa, elliptic] = await Promise.all([
    generatePair('rsa', { modulusLength: MODULUS_BITS }),
    generatePair('ec', { namedCurve: 'P-256' }),
  ]);
  return { RS256: jwkOf(rsa.privateKey), ES256: jwkOf(elliptic.privateKey) };
}

/**
 * The ring with a key that follows. Keys that a turn before announced and that did not sign yet are taken out.
 * @param isAtOnce - whoever knows the old key may be a thief: it is told nobody from now on, whoever is refused for that
 */
export function turned(
  ring: ClientKeyRing | undefined,
  keys: KeyGeneration['keys'],
  turn: TurnTerms & { readonly nowMs: number; readonly isAtOnce: boolean },
): ClientKeyRing {
  const { nowMs, isAtOnce, aheadMs, overlapMs } = turn;
  const before = isAtOnce ? [] : (ring?.generations ?? []).filter((each) => isSigned(each, nowMs));
  const signsFromMs = before.length === 0 ? nowMs : nowMs + aheadMs;
  const goneAtMs = signsFromMs + overlapMs;
  const next: KeyGeneration = {
    id: randomBytes(6).toString('base64url'),
    madeAtMs: nowMs,
    signsFromMs,
    goneAtMs: null,
    keys,
  };
  const kept = before.map((each) => ({ ...each, goneAtMs: Math.min(each.goneAtMs ?? Infinity, goneAtMs) }));
  return { generations: [...kept.slice(1 - GENERATIONS_MAX), next] };
}

/** The generation that signs now: the newest whose time has come. */
export function signingNow({ generations }: ClientKeyRing, nowMs: number): KeyGeneration {
  const ready = generations.filter(({ signsFromMs }) => signsFromMs <= nowMs);
  return ready.at(-1) ?? generations[0]!;
}

/** What servers are told: the public half of each key that signs, will sign, or signed a moment ago (RFC 7517 section 5). */
export function publicKeysOf({ generations }: ClientKeyRing, nowMs: number): readonly JsonWebKey[] {
  return generations
    .filter(({ goneAtMs }) => goneAtMs === null || goneAtMs > nowMs)
    .flatMap(({ id, keys }) =>
      CLIENT_KEY_ALGORITHMS.map((alg) => {
        const { kty, crv, x, y, n, e } = keys[alg];
        const half = kty === 'EC' ? { kty, crv, x, y } : { kty, n, e };
        return Object.assign({}, half, { use: 'sig', alg, kid: keyIdOf(id, alg) }) as JsonWebKey;
      }),
    );
}

export function keyIdOf(generation: string, alg: ClientKeyAlgorithm): string {
  return `${generation}-${alg}`;
}

export function privateKeyOf({ keys }: KeyGeneration, alg: ClientKeyAlgorithm): KeyObject {
  return createPrivateKey({ key: keys[alg] as JsonWebKey, format: 'jwk' });
}

function isSigned({ signsFromMs, goneAtMs }: KeyGeneration, nowMs: number): boolean {
  return signsFromMs <= nowMs && (goneAtMs === null || goneAtMs > nowMs);
}

function jwkOf(key: KeyObject): Record<string, string> {
  return PrivateJwk.parse(key.export({ format: 'jwk' }));
}
