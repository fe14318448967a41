import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { identityOfPem } from '@warder/leases';
import { ConfigError } from '../config-error.js';

/**
 * A node's identity on disk: one key in PEM, mode 0600, its certificate, and beside them the next key while it takes the
 * place of the first.
 */
export class IdentityFile {
  current: KeyObject;
  next: KeyObject | undefined;
  /** The certificate that was had last; whether it is of the current key, who reads it says. */
  certificate: string | undefined;

  /**
   * Reads the key, or makes it the first time.
   * @throws ConfigError for a file that others can read, or that holds no such key
   */
  constructor(
    private readonly file: string,
    private readonly setting: string,
  ) {
    this.current = existsSync(file) ? this.read(file) : make(file);
    this.next = existsSync(this.nextFile) ? this.read(this.nextFile) : undefined;
    if (existsSync(this.certificateFile)) this.certificate = readFileSync(this.certificateFile, 'utf8');
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

  /** Keeps what a start needs while the registrar is away. */
  keepCertificate(certificate: string): void {
    if (certificate === this.certificate) return;
    replace(this.certificateFile, certificate);
    this.certificate = certificate;
  }

  private get certificateFile(): string {
    return `${this.file}.certificate`;
  }

  private get nextFile(): string {
    return `${this.file}.next`;
  }

  private read(file: string): KeyObject {
    if ((statSync(file).mode & 0o077) !== 0)
      throw new ConfigError(`${this.setting}: ${file} can be read by others: chmod 600`);
    try {
      return identityOfPem(readFileSync(file, 'utf8'));
    } catch {
      throw new ConfigError(`${this.setting}: ${file} holds no Ed25519 key in PEM`);
    }
  }
}

function make(file: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  replace(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return privateKey;
}

function replace(file: string, text: string | Buffer): void {
  const unfinished = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeFileSync(unfinished, text, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}
