import { type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import type { AdminAction, AdminActor } from '@warder/postgres';
import type { NamedSecrets } from '@warder/secrets';
import { AdminError } from '@warder/service-host';
import {
  type ClientKeyAlgorithm,
  ClientKeyRing,
  keyIdOf,
  makeKeys,
  privateKeyOf,
  publicKeysOf,
  signingNow,
  turned,
  type TurnTerms,
} from './client-key-ring.js';

/** Under which name the ring stands in the secret store. */
export const CLIENT_KEYS_NAME = 'client-keys/ring';
/** What is held is asked for again after so long: another process may have turned the keys. */
const HELD_MS = 60_000;
/** How often two processes that make the first key may meet. */
const TRIES_MAX = 3;

/** What is told of the keys; never a private one. */
export interface ClientKeysView {
  readonly keys: readonly {
    readonly id: string;
    readonly madeAtMs: number;
    readonly signsFromMs: number;
    readonly goneAtMs: number | null;
    readonly signsNow: boolean;
  }[];
}

export interface ClientKeysParts extends TurnTerms {
  readonly secrets: Pick<NamedSecrets, 'read' | 'put'>;
  /** Puts a turn on record; resolves once it is committed. */
  readonly record: (action: AdminAction) => Promise<void>;
  /** A key is followed by another after so long. */
  readonly turnEveryMs: number;
  readonly wallMs: () => number;
}

interface Held {
  readonly ring: ClientKeyRing;
  readonly version: number;
  readonly readAtMs: number;
  readonly signers: Map<string, KeyObject>;
}

const ITSELF: AdminActor = { principal: null, token: null, address: '' };

/**
 * The keys with which our client proves itself where a provider takes `private_key_jwt` (RFC 7523 section 2.2). They are made
 * at their first use, stand in the secret store, and follow each other with an overlap: a key is told of before it signs
 * and after it signed. Every process of the service has the same ones.
 */
export class ClientKeys {
  private held: Held | undefined;
  private loading: Promise<Held> | undefined;

  constructor(private readonly parts: ClientKeysParts) {}

  /** Signs with the key of now, from memory. @throws AdminError 503 WDR_SECRET_STORE_UNAVAILABLE where none is known */
  async signer(alg: ClientKeyAlgorithm): Promise<(typ: string, claims: object) => string> {
    const held = await this.load();
    return (typ, claims) => {
      const generation = signingNow(held.ring, this.parts.wallMs());
      const kid = keyIdOf(generation.id, alg);
      const key = held.signers.get(kid) ?? privateKeyOf(generation, alg);
      held.signers.set(kid, key);
      const text = [{ alg, typ, kid }, claims].map(encoded).join('.');
      return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    };
  }

  /** A JWK set (RFC 7517 section 5). */
  async publicKeys(): Promise<readonly JsonWebKey[]> {
    return publicKeysOf((await this.load()).ring, this.parts.wallMs());
  }

  async view(): Promise<ClientKeysView> {
    return this.viewOf(await this.load());
  }

  /**
   * Has another key follow.
   * @param isAtOnce - the keys of now are told nobody any more, and nothing that they signed is taken once servers asked again
   * @throws AdminError 409 WDR_CLIENT_KEYS_CHANGED where another process was faster
   */
  async turn(by: AdminActor, isAtOnce: boolean): Promise<ClientKeysView> {
    const before = await this.load(true);
    return this.viewOf(await this.write(before, by, isAtOnce));
  }

  /** @throws whatever the store throws, only where nothing is held: what was read before is good for longer */
  private async load(isFresh = false): Promise<Held> {
    const { held } = this;
    if (!isFresh && held !== undefined && this.parts.wallMs() - held.readAtMs < HELD_MS) return held;
    this.loading ??= this.read().finally(() => (this.loading = undefined));
    if (held === undefined || isFresh) return this.loading;
    return this.loading.catch(() => held);
  }

  private async read(): Promise<Held> {
    const { secrets, wallMs, turnEveryMs } = this.parts;
    for (let tries = 1; ; tries += 1) {
      const stored = await secrets.read(CLIENT_KEYS_NAME);
      const known = stored && this.take(ClientKeyRing.parse(JSON.parse(stored.value)), stored.version);
      const newest = known?.ring.generations.at(-1);
      if (known !== undefined && newest !== undefined && wallMs() - newest.madeAtMs < turnEveryMs) return known;
      try {
        return await this.write(known, ITSELF, false);
      } catch (error) {
        const isLate = error instanceof AdminError && error.code === 'WDR_CLIENT_KEYS_CHANGED';
        if (isLate && tries < TRIES_MAX) continue;
        // A key that should have had a follower signs as well as one that is younger.
        if (known !== undefined) return known;
        throw error;
      }
    }
  }

  private async write(before: Held | undefined, by: AdminActor, isAtOnce: boolean): Promise<Held> {
    const { secrets, record, aheadMs, overlapMs, wallMs } = this.parts;
    const keys = await makeKeys();
    const ring = turned(before?.ring, keys, { aheadMs, overlapMs, nowMs: wallMs(), isAtOnce });
    const { id, signsFromMs } = ring.generations.at(-1)!;
    const version = before?.version ?? 0;
    const action = { action: 'client-keys.turn', by, arguments: { id, signsFromMs, isAtOnce } };
    // On record first, for no key signs of which nobody is told; and no transaction is open while the store is asked.
    await record(action);
    try {
      const isChanged = (await secrets.read(CLIENT_KEYS_NAME))?.version !== before?.version;
      if (isChanged) throw changed();
      await secrets.put(CLIENT_KEYS_NAME, JSON.stringify(ring), version);
    } catch (error) {
      const code = error instanceof AdminError ? error.code : 'WDR_INTERNAL';
      await record({ ...action, refusal: { code, detail: 'the keys stay as they were', isForbidden: false } });
      throw error;
    }
    return this.take(ring, version + 1);
  }

  private take(ring: ClientKeyRing, version: number): Held {
    const signers = this.held?.version === version ? this.held.signers : new Map<string, KeyObject>();
    return (this.held = { ring, version, readAtMs: this.parts.wallMs(), signers });
  }

  private viewOf({ ring }: Held): ClientKeysView {
    const now = signingNow(ring, this.parts.wallMs());
    const keys = ring.generations.map((each) => {
      const { id, madeAtMs, signsFromMs, goneAtMs } = each;
      return { id, madeAtMs, signsFromMs, goneAtMs, signsNow: each === now };
    });
    return { keys };
  }
}

function changed(): AdminError {
  return new AdminError(409, 'WDR_CLIENT_KEYS_CHANGED', 'another process changed the keys: look at them again');
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
