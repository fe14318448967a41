import type { GuardedFetch } from '@warder/egress';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters, type FlattenedJWSInput } from 'jose';

/** Milliseconds after which keys are read again though nothing asked for it: a key that was withdrawn must go. */
const FRESH_MS = 600_000;
/** Milliseconds for which keys are used while they cannot be read again. */
const STALE_MS = 3_600_000;
/** Milliseconds between two readings, whatever key ids come in: a stranger who invents them causes no more. */
const READ_EVERY_MS = 30_000;
const KEYS_MAX = 100;

/** The keys cannot be had at the moment, so nothing can be said of a message. */
export class KeysAway extends Error {
  override readonly name = 'KeysAway';
}

export interface SenderKeysParts {
  readonly issuer: string;
  /** Where the keys stand; otherwise the metadata at one of these places says it. */
  readonly jwksUrl: string | undefined;
  readonly metadataUrls: readonly string[];
  readonly fetch: GuardedFetch;
  readonly monotonicMs: () => number;
}

type KeyFinder = ReturnType<typeof createLocalJWKSet>;

/** The public keys of one sender, read when they are needed and at a bounded rate. */
export class SenderKeys {
  private known: { readonly find: KeyFinder; readonly atMs: number } | undefined;
  private readAtMs = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;

  constructor(private readonly parts: SenderKeysParts) {}

  /**
   * The key that a message names, for `jwtVerify`.
   * @throws KeysAway where it cannot be told whether there is such a key; JWKSNoMatchingKey where there is none
   */
  readonly find = async (header: JWSHeaderParameters, token: FlattenedJWSInput): ReturnType<KeyFinder> => {
    const nowMs = this.parts.monotonicMs();
    const readBefore = this.readAtMs;
    if (this.known === undefined || nowMs - this.known.atMs > FRESH_MS) await this.refresh(nowMs);
    const { known } = this;
    if (known === undefined || nowMs - known.atMs > STALE_MS) throw new KeysAway('the keys cannot be read now');
    try {
      return await known.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const wasJustRead = readBefore !== this.readAtMs;
      if (wasJustRead) throw error;
      if (!(await this.refresh(nowMs))) throw new KeysAway('the key is not known, and keys were read a moment ago');
      return this.known!.find(header, token);
    }
  };

  /** @returns whether keys were read now; a failure is no error here, for older keys may do */
  private async refresh(nowMs: number): Promise<boolean> {
    if (this.reading === undefined) {
      if (nowMs - this.readAtMs < READ_EVERY_MS) return false;
      this.readAtMs = nowMs;
      this.reading = this.read(nowMs).finally(() => (this.reading = undefined));
    }
    return this.reading.then(
      () => true,
      () => false,
    );
  }

  private async read(nowMs: number): Promise<void> {
    const set = await this.json(this.parts.jwksUrl ?? (await this.discovered()));
    const keys = (set as Partial<JSONWebKeySet>).keys;
    if (!Array.isArray(keys) || keys.length > KEYS_MAX) throw new Error('no set of keys');
    this.known = { find: createLocalJWKSet({ keys }), atMs: nowMs };
  }

  /** @see OpenID Shared Signals Framework 1.0 section 7.2; OpenID Connect Discovery 1.0 section 4.3 */
  private async discovered(): Promise<string> {
    const { metadataUrls, issuer } = this.parts;
    for (const url of metadataUrls) {
      const metadata = (await this.json(url).catch(() => ({}))) as { issuer?: unknown; jwks_uri?: unknown };
      if (metadata.issuer === issuer && typeof metadata.jwks_uri === 'string') return metadata.jwks_uri;
    }
    throw new Error('no metadata of this issuer names its keys');
  }

  private async json(url: string): Promise<object> {
    const answer = await this.parts.fetch(url, { headers: { accept: 'application/json' } });
    if (answer.status !== 200) throw new Error(`${answer.status} instead of a document`);
    const value: unknown = await answer.json();
    if (typeof value !== 'object' || value === null) throw new Error('no document');
    return value;
  }
}

/** Where metadata of an issuer may stand: the name between host and path, and after it (RFC 8414 section 3). */
export function metadataUrls(issuer: string, names: readonly string[]): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const between = names.map((name) => `${origin}/.well-known/${name}${path}`);
  const after = names.map((name) => `${origin}${path}/.well-known/${name}`);
  return [...new Set([...between, ...after])];
}
