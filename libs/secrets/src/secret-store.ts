/** Secrets by name. Names are `<kind>/<id>`; a value exists in clear only in memory. */
export interface SecretStore {
  /** Stores or replaces; resolves once it is on disk. */
  put(name: string, value: string): Promise<void>;
  /** @returns undefined when there is none; @throws SecretError when there is one that cannot be read */
  get(name: string): Promise<string | undefined>;
  /** @returns whether there was one */
  remove(name: string): Promise<boolean>;
  /** Names, sorted; never values. */
  list(): Promise<readonly string[]>;
}

/** Why a store cannot be used or a secret not be read. Its message never holds a key or a value. */
export class SecretError extends Error {
  constructor(
    readonly reason: 'keyring' | 'name' | 'too-large' | 'damaged' | 'unknown-key' | 'read-only',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SecretError';
  }
}
