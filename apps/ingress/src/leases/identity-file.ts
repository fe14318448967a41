import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { identityOfPem } from '@warder/leases';
import { ConfigError } from '@warder/service-host';

/** A node's identity on disk: one key in PEM, mode 0600, and beside it the next one while it takes the place of the first. */
export class IdentityFile {
  current: KeyObject;
  next: KeyObject | undefined;

  /**
   * Reads the key, or makes it the first time.
   * @throws ConfigError for a file that others can read, or that holds no such key
   */
  constructor(private readonly file: string) {
    this.current = existsSync(file) ? read(file) : make(file);
    this.next = existsSync(this.nextFile) ? read(this.nextFile) : undefined;
  }

  /** Makes the key that is to follow; on disk before anybody hears of it. */
  makeNext(): void {
    this.next ??= make(this.nextFile);
  }

  /** The next key is the one that counts now. */
  adoptNext(): void {
    if (this.next === undefined) return;
    renameSync(this.nextFile, this.file);
    this.current = this.next;
    this.next = undefined;
  }

  private get nextFile(): string {
    return `${this.file}.next`;
  }
}

function make(file: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(unfinished, pem, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return privateKey;
}

function read(file: string): KeyObject {
  if ((statSync(file).mode & 0o077) !== 0)
    throw new ConfigError(`leases.identityFile: ${file} can be read by others: chmod 600`);
  try {
    return identityOfPem(readFileSync(file, 'utf8'));
  } catch {
    throw new ConfigError(`leases.identityFile: ${file} holds no Ed25519 key in PEM`);
  }
}
