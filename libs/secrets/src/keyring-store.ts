import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { isCurrent, openV1, openWith, sealWith } from './envelope.js';
import { createKeyring, type Keyring, readKeyring } from './keyring.js';
import { rewrapAll, type RewrapProgress } from './rewrap-all.js';
import { checkName, SEALED_SUFFIX, SealedFiles } from './sealed-files.js';
import {
  checkValue,
  type SealContext,
  SecretError,
  type SecretStore,
  type StoreHealth,
  type VersionedSecret,
} from './secret-store.js';
import { StateWatch } from './state-watch.js';

export interface KeyringStoreOptions {
  /** One file per secret, 0600, in a directory of 0700. */
  readonly dir: string;
  readonly keyringFile: string;
  /** Makes the keyring and the directory when missing: for the one that writes, never for a reader. */
  readonly create?: boolean;
}

/**
 * The embedded store: sealed files that one process writes and others may read, and sealed values for Postgres. The
 * keyring is read once, at start, and again when something names a key that is not in it.
 * @throws SecretError `keyring` when the keyring is missing (without `create`), readable by others, or guessable
 */
export function createKeyringStore(options: KeyringStoreOptions): SecretStore {
  if (options.create) {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    // A new key in front of sealed files would hide that the old one was lost.
    const isFresh = !readdirSync(options.dir).some((file) => file.endsWith(SEALED_SUFFIX));
    if (isFresh && !existsSync(options.keyringFile)) createKeyring(options.keyringFile);
  }
  return new KeyringStore(options.dir, options.keyringFile);
}

/** A named secret as its file has it: `<version> v2...`, or `v1...` of an earlier Warder, which is version 1. */
interface Filed {
  readonly version: number;
  readonly sealed: string;
}

class KeyringStore implements SecretStore {
  readonly kind = 'embedded';
  private readonly files: SealedFiles;
  private readonly watch = new StateWatch();
  private keyring: Keyring;
  /** Writers of this process go one after the other, so that what was compared is what is replaced. */
  private writing: Promise<unknown> = Promise.resolve();
  private isClosed = false;

  constructor(
    private readonly dir: string,
    private readonly keyringFile: string,
  ) {
    this.keyring = readKeyring(keyringFile);
    this.files = new SealedFiles(dir);
  }

  async put(name: string, value: string, expected?: number): Promise<number> {
    checkName(name);
    checkValue(name, value);
    return this.written(async () => {
      const before = (await this.filed(name))?.version ?? 0;
      if (expected !== undefined && expected !== before)
        throw new SecretError('conflict', `secret ${name} has version ${before}, not ${expected}`);
      await this.file(name, before + 1, Buffer.from(value, 'utf8'));
      return before + 1;
    });
  }

  async get(name: string): Promise<string | undefined> {
    return (await this.read(name))?.value;
  }

  async read(name: string): Promise<VersionedSecret | undefined> {
    const filed = await this.used(() => this.filed(name));
    return filed && { value: this.openFiled(name, filed).toString('utf8'), version: filed.version };
  }

  remove(name: string): Promise<boolean> {
    return this.written(() => this.files.remove(name));
  }

  list(): Promise<readonly string[]> {
    return this.used(() => this.files.list());
  }

  async seal(plain: Uint8Array, context: SealContext): Promise<string> {
    this.refuseWhenClosed();
    return sealWith(this.keyring, plain, context);
  }

  async open(sealed: string, context: SealContext): Promise<Buffer> {
    this.refuseWhenClosed();
    return this.withKeys((keyring) => openWith(keyring, sealed, context));
  }

  async rewrap(sealed: string, context: SealContext): Promise<string> {
    this.refuseWhenClosed();
    if (isCurrent(this.keyring, sealed)) return sealed;
    return this.seal(await this.open(sealed, context), context);
  }

  /** A key that was added since the start seals from here on. */
  async reencrypt(tell?: (progress: RewrapProgress) => void): Promise<RewrapProgress> {
    this.refuseWhenClosed();
    this.keyring = readKeyring(this.keyringFile);
    const names = await this.list();
    return rewrapAll<string>({
      rows: {
        count: async () => names.length,
        page: async (after, limit) => {
          const from = after === undefined ? 0 : names.indexOf(after) + 1;
          return names.slice(from, from + limit).map((name) => ({ id: name, sealed: '', context: name }));
        },
        replace: async () => true,
      },
      rewrap: async (_sealed, name) => ((await this.reencryptOne(name)) ? 'changed' : ''),
      onFailed: (_row, error) => {
        if (error instanceof SecretError && error.isUnavailable) throw error;
      },
      ...(tell && { tell }),
    });
  }

  async health(): Promise<StoreHealth> {
    const found: StoreHealth = await readdir(this.dir).then(
      () => ({ state: 'ok', keyId: this.keyring.current.id }),
      (error: NodeJS.ErrnoException) => ({
        state: 'unreachable',
        detail: `the secret directory cannot be used (${error.code ?? 'error'})`,
      }),
    );
    return this.watch.seen(found);
  }

  onStateChange(listener: (health: StoreHealth) => void): () => void {
    return this.watch.onChange(listener);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.writing.catch(() => undefined);
  }

  private reencryptOne(name: string): Promise<boolean> {
    return this.written(async () => {
      const filed = await this.filed(name);
      if (!filed || isCurrent(this.keyring, filed.sealed)) return false;
      await this.file(name, filed.version, this.openFiled(name, filed));
      return true;
    });
  }

  private async filed(name: string): Promise<Filed | undefined> {
    const text = (await this.files.read(name))?.trim();
    if (text === undefined) return undefined;
    const [, version, sealed = text] = /^(\d{1,15}) (.*)$/.exec(text) ?? [];
    return { version: Number(version ?? 1), sealed };
  }

  private file(name: string, version: number, plain: Uint8Array): Promise<void> {
    return this.files.write(name, `${version} ${sealWith(this.keyring, plain, contextOf(name, version))}\n`);
  }

  private openFiled(name: string, { version, sealed }: Filed): Buffer {
    const context = contextOf(name, version);
    return this.withKeys((keyring) =>
      sealed.startsWith('v1.') ? openV1(keyring, name, sealed, context) : openWith(keyring, sealed, context),
    );
  }

  private withKeys<T>(work: (keyring: Keyring) => T): T {
    try {
      return work(this.keyring);
    } catch (error) {
      if (!(error instanceof SecretError) || error.reason !== 'unknown-key') throw error;
      // The key may have been added since this process started.
      this.keyring = readKeyring(this.keyringFile);
      return work(this.keyring);
    }
  }

  private written<T>(work: () => Promise<T>): Promise<T> {
    const after = this.writing.catch(() => undefined).then(() => this.used(work));
    this.writing = after;
    return after;
  }

  private async used<T>(work: () => Promise<T>): Promise<T> {
    this.refuseWhenClosed();
    try {
      const result = await work();
      this.watch.seen({ state: 'ok', keyId: this.keyring.current.id });
      return result;
    } catch (error) {
      if (error instanceof SecretError && error.isUnavailable)
        this.watch.seen({ state: 'unreachable', detail: error.message });
      throw error;
    }
  }

  private refuseWhenClosed(): void {
    if (this.isClosed) throw new SecretError('closed', 'the secret store was closed');
  }
}

function contextOf(name: string, version: number): SealContext {
  return { table: 'named-secret', row: name, column: 'value', generation: version };
}
