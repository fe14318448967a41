import type { RewrapProgress } from './rewrap-all.js';

/** UTF-8 bytes of one named secret, and bytes of one sealed value, at most. */
export const SECRET_BYTES_MAX = 65_536;

/** Secrets by name. Names are `<kind>/<id>`; a value exists in clear only in memory. */
export interface NamedSecrets {
  /**
   * Stores or replaces; resolves once the store holds it for good.
   * @param expected - the version it has to have before, 0 for none; absent, whatever it has
   * @returns its version, which grows with every change
   * @throws SecretError `conflict` when it has another version: nothing was changed
   */
  put(name: string, value: string, expected?: number): Promise<number>;
  /** @returns undefined when there is none; @throws SecretError when there is one that cannot be read */
  get(name: string): Promise<string | undefined>;
  /** The same with its version, for the next `put`. */
  read(name: string): Promise<VersionedSecret | undefined>;
  /** Removes every version of it. @returns whether there was one */
  remove(name: string): Promise<boolean>;
  /** Names, sorted; never values. */
  list(): Promise<readonly string[]>;
}

export interface VersionedSecret {
  readonly value: string;
  /** 1 and up. */
  readonly version: number;
}

/** Where a sealed value stands. Put into another row or column, or of another generation, it does not open. */
export interface SealContext {
  readonly table: string;
  readonly row: string;
  readonly column: string;
  /** Grows with every change of the value: an older one put back does not open. */
  readonly generation: number;
}

/** Values that stand sealed in a column of Postgres, beside the state they belong to. */
export interface SealedValues {
  /** @returns text without a secret in it, which `open` takes with the same context */
  seal(plain: Uint8Array, context: SealContext): Promise<string>;
  /** @throws SecretError `damaged` for another context or an altered text, `unknown-key`, or why the store is away */
  open(sealed: string, context: SealContext): Promise<Buffer>;
  /** Under the key that seals now; the very same text when it is already. The generation stays. */
  rewrap(sealed: string, context: SealContext): Promise<string>;
}

/** `sealed` and `unreachable` are the store's own; `refused`: it answers, and does not let us in. */
export type StoreState = 'ok' | 'sealed' | 'unreachable' | 'refused';

export interface StoreHealth {
  readonly state: StoreState;
  /** One sentence for the operator, without a secret; absent when `ok`. */
  readonly detail?: string;
  /** That seals now, where the store tells it. */
  readonly keyId?: string;
}

/** One place for secrets: `embedded` (keyring file) or `vault` (HashiCorp Vault, OpenBao). */
export interface SecretStore extends NamedSecrets, SealedValues {
  readonly kind: 'embedded' | 'vault';
  /**
   * Seals named secrets anew that an earlier key sealed, a few at a time. Sealed values are their owner's to rewrap
   * (`rewrapAll`).
   * @param tell - after each
   */
  reencrypt(tell?: (progress: RewrapProgress) => void): Promise<RewrapProgress>;
  /** Asks the store now; never throws. */
  health(): Promise<StoreHealth>;
  /**
   * Told of each change of the state, whichever call met it.
   * @returns ends the telling
   */
  onStateChange(listener: (health: StoreHealth) => void): () => void;
  /** Forgets keys and tokens; calls are refused from then on. */
  close(): Promise<void>;
}

export type SecretErrorReason =
  | 'keyring'
  | 'name'
  | 'too-large'
  | 'damaged'
  | 'unknown-key'
  | 'read-only'
  | 'conflict'
  | 'sealed'
  | 'unreachable'
  | 'refused'
  | 'closed';

const UNAVAILABLE: ReadonlySet<SecretErrorReason> = new Set(['sealed', 'unreachable', 'refused', 'read-only']);

/** Why a store cannot be used or a secret not be read. Its message never holds a key, a token or a value. */
export class SecretError extends Error {
  constructor(
    readonly reason: SecretErrorReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SecretError';
  }

  /** Whether the same call may succeed later: the store is away, and the secret is not the matter. */
  get isUnavailable(): boolean {
    return UNAVAILABLE.has(this.reason);
  }
}

/** @throws SecretError for a value that would come back otherwise than it was put */
export function checkValue(name: string, value: string): void {
  if (Buffer.byteLength(value) > SECRET_BYTES_MAX)
    throw new SecretError('too-large', `secret ${name} is larger than ${SECRET_BYTES_MAX} bytes`);
  // Decoding gives back other text than was put in when a surrogate stands alone.
  if (Buffer.from(value, 'utf8').toString('utf8') !== value)
    throw new SecretError('damaged', `secret ${name} is not well-formed Unicode`);
}
