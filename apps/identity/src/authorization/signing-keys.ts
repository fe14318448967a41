import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** A key in memory. */
export interface HeldKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Whether it may sign: the next one is told of first. */
  readonly signs: boolean;
}

export function heldKeyOf(id: string, jwk: object, signs: boolean): HeldKey {
  const privateKey = createPrivateKey({ key: jwk as never, format: 'jwk' });
  return { id, privateKey, publicKey: createPublicKey(privateKey), signs };
}

/** The keys of now: what signs, and everything that verifies. */
export class SigningKeys {
  private keys: readonly HeldKey[] = [];

  /** @param keys - the newest first */
  replace(keys: readonly HeldKey[]): void {
    this.keys = keys;
  }

  /** @throws Error before the keys are loaded */
  signer(): HeldKey {
    const signer = this.keys.find(({ signs }) => signs);
    if (signer === undefined) throw new Error('no key signs');
    return signer;
  }

  find(id: string | undefined): HeldKey | undefined {
    return this.keys.find((key) => key.id === id);
  }

  /** What clients and others verify by (RFC 7517 section 5), the next key included. */
  set(): { keys: object[] } {
    return {
      keys: this.keys.map(({ id, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid: id,
        alg: 'ES256',
        use: 'sig',
      })),
    };
  }
}
