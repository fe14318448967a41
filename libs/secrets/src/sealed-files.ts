import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SecretError } from './secret-store.js';

const NAME = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*){1,3}$/;
export const SEALED_SUFFIX = '.sealed';

/** @throws SecretError `name` for what is no name of a secret: no dot and no `..` passes */
export function checkName(name: string): void {
  if (!isName(name)) throw new SecretError('name', 'a secret is named <kind>/<id>, a-z 0-9 "-"');
}

export function isName(name: string): boolean {
  return NAME.test(name) && name.length <= 200;
}

/** One file per name, 0600, each replaced as a whole. */
export class SealedFiles {
  constructor(private readonly dir: string) {}

  async read(name: string): Promise<string | undefined> {
    try {
      return await readFile(this.pathOf(name), 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw unusable(error);
    }
  }

  /** Resolves once it is on the disk. */
  async write(name: string, text: string): Promise<void> {
    const path = this.pathOf(name);
    const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
    try {
      const file = await open(unfinished, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw unusable(error);
    }
    await this.sync();
  }

  /** @returns whether there was one */
  async remove(name: string): Promise<boolean> {
    try {
      await unlink(this.pathOf(name));
    } catch (error) {
      if (isMissing(error)) return false;
      throw unusable(error);
    }
    await this.sync();
    return true;
  }

  async list(): Promise<readonly string[]> {
    // A directory that is not there, as of a volume that is not mounted, is not an empty store.
    const files = await readdir(this.dir).catch((error: unknown) => {
      throw unusable(error);
    });
    return files
      .filter((file) => file.endsWith(SEALED_SUFFIX))
      .map((file) => file.slice(0, -SEALED_SUFFIX.length).replaceAll('.', '/'))
      .filter(isName)
      .sort();
  }

  // A dot can stand for the slash, for no name holds one, and none leaves the directory.
  private pathOf(name: string): string {
    checkName(name);
    return join(this.dir, `${name.replaceAll('/', '.')}${SEALED_SUFFIX}`);
  }

  private async sync(): Promise<void> {
    const directory = await open(this.dir, constants.O_RDONLY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function unusable(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof SecretError || code === undefined) return error;
  if (['EROFS', 'EACCES', 'EPERM'].includes(code))
    return new SecretError('read-only', `the secret directory cannot be written (${code})`, { cause: error });
  return new SecretError('unreachable', `the secret directory cannot be used (${code})`, { cause: error });
}
