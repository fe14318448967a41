import { randomBytes } from 'node:crypto';
import { constants, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { open as openFile, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { open, seal } from './envelope.js';
import { createKeyring, readKeyring } from './keyring.js';
import { SecretError, type SecretStore } from './secret-store.js';

/** UTF-8 bytes of one secret at most. */
export const SECRET_BYTES_MAX = 65_536;

const NAME = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*){1,3}$/;
const SUFFIX = '.sealed';

export interface KeyringStoreOptions {
  /** One file per secret, 0600, in a directory of 0700. */
  readonly dir: string;
  readonly keyringFile: string;
  /** Makes the keyring and the directory when missing: for the one that writes, never for a reader. */
  readonly create?: boolean;
}

/**
 * A store of sealed files that one process writes and others may read. The keyring is read once, at start, and again
 * when a file names a key that is not in it.
 * @throws SecretError `keyring` when the keyring is missing (without `create`), readable by others, or guessable
 */
export function createKeyringStore(options: KeyringStoreOptions): SecretStore {
  if (options.create) {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    // A new key in front of sealed files would hide that the old one was lost.
    const isFresh = !readdirSync(options.dir).some((file) => file.endsWith(SUFFIX));
    if (isFresh && !existsSync(options.keyringFile)) createKeyring(options.keyringFile);
  }
  return new KeyringStore(options.dir, options.keyringFile);
}

class KeyringStore implements SecretStore {
  private keyring;

  constructor(
    private readonly dir: string,
    private readonly keyringFile: string,
  ) {
    this.keyring = readKeyring(keyringFile);
  }

  async put(name: string, value: string): Promise<void> {
    const path = this.pathOf(name);
    if (Buffer.byteLength(value) > SECRET_BYTES_MAX)
      throw new SecretError('too-large', `secret ${name} is larger than ${SECRET_BYTES_MAX} bytes`);
    // Decoding gives back other text than was put in when a surrogate stands alone.
    if (Buffer.from(value, 'utf8').toString('utf8') !== value)
      throw new SecretError('damaged', `secret ${name} is not well-formed Unicode`);
    const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
    try {
      const file = await openFile(unfinished, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
      try {
        await file.writeFile(seal(name, value, this.keyring));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw readOnly(error);
    }
    await syncDirectory(this.dir);
  }

  async get(name: string): Promise<string | undefined> {
    const envelope = await this.read(name);
    if (envelope === undefined) return undefined;
    try {
      return open(name, envelope, this.keyring);
    } catch (error) {
      if (!(error instanceof SecretError) || error.reason !== 'unknown-key') throw error;
      // The key may have been added since this process started.
      this.keyring = readKeyring(this.keyringFile);
      return open(name, envelope, this.keyring);
    }
  }

  async remove(name: string): Promise<boolean> {
    try {
      await unlink(this.pathOf(name));
    } catch (error) {
      if (isMissing(error)) return false;
      throw readOnly(error);
    }
    await syncDirectory(this.dir);
    return true;
  }

  async list(): Promise<readonly string[]> {
    const files = await readdir(this.dir).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    return files
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length).replaceAll('.', '/'))
      .filter((name) => NAME.test(name))
      .sort();
  }

  private async read(name: string): Promise<string | undefined> {
    try {
      return await readFile(this.pathOf(name), 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  // No dot and no `..` passes the check, so a dot can stand for the slash and no name leaves the directory.
  private pathOf(name: string): string {
    if (!NAME.test(name) || name.length > 200)
      throw new SecretError('name', 'a secret is named <kind>/<id>, a-z 0-9 "-"');
    return join(this.dir, `${name.replaceAll('/', '.')}${SUFFIX}`);
  }
}

async function syncDirectory(dir: string): Promise<void> {
  const directory = await openFile(dir, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function readOnly(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (!['EROFS', 'EACCES', 'EPERM'].includes(code)) return error;
  return new SecretError('read-only', `the secret directory cannot be written (${code})`, { cause: error });
}
