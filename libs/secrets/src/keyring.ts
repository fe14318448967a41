import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SecretError } from './secret-store.js';

const KEY_BYTES = 32;
const KEYRING_BYTES_MAX = 65_536;
const KEY_ID = /^[A-Za-z0-9_-]{1,40}$/;

/** Keys by id; `current` seals, every key opens. */
export interface Keyring {
  readonly current: { readonly id: string; readonly key: Buffer };
  readonly keys: ReadonlyMap<string, Buffer>;
}

/**
 * Reads a keyring file: `<key id> <64 hex digits>` a line, `#` starts a comment, the last line seals. A key is rotated
 * by adding a line; the earlier ones stay as long as secrets are sealed with them.
 * @throws SecretError `keyring` when the file is missing, can be read by others, or holds a key anyone could guess
 */
export function readKeyring(file: string): Keyring {
  return parseKeyring(readPrivate(file), file);
}

/** Makes a keyring of one random key, mode 0600, unless the file is there already. */
export function createKeyring(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.new`;
  const descriptor = openSync(unfinished, 'wx', 0o600);
  try {
    writeSync(descriptor, `k${randomBytes(4).toString('hex')} ${randomBytes(KEY_BYTES).toString('hex')}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    // A link fails where the name exists: of two processes that start together the first one's key stands.
    linkSync(unfinished, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(unfinished);
  }
}

function readPrivate(file: string): string {
  let text: string;
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > KEYRING_BYTES_MAX) throw refused(file, 'is not a keyring file');
    // Group-readable passes: a cluster mounts secrets as root-owned with the service's group.
    if ((stat.mode & 0o007) !== 0 || (stat.mode & 0o020) !== 0)
      throw refused(file, 'can be read or written by others: chmod 600');
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof SecretError) throw error;
    throw refused(file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`, error);
  }
  return text;
}

function parseKeyring(text: string, file: string): Keyring {
  const keys = new Map<string, Buffer>();
  let current: Keyring['current'] | undefined;
  text.split(/\r?\n/).forEach((raw, at) => {
    const line = raw.replace(/#.*/, '').trim();
    if (line === '') return;
    const [id = '', hex = '', ...rest] = line.split(/\s+/);
    if (!KEY_ID.test(id) || rest.length > 0) throw refused(file, `line ${at + 1}: expected "<key id> <64 hex digits>"`);
    if (keys.has(id)) throw refused(file, `line ${at + 1}: key id "${id}" stands twice`);
    current = { id, key: parseKey(hex, `line ${at + 1}`, file) };
    keys.set(id, current.key);
  });
  if (!current) throw refused(file, 'holds no key');
  return { current, keys };
}

function parseKey(hex: string, where: string, file: string): Buffer {
  if (/^(default|changeme|change-me|secret|example)$/i.test(hex)) throw refused(file, `${where}: a default key`);
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) throw refused(file, `${where}: a key is 64 hex digits (32 random bytes)`);
  const key = Buffer.from(hex, 'hex');
  // Of 32 random bytes fewer than 16 distinct ones do not happen; zeros, patterns and typed text do.
  if (new Set(key).size < KEY_BYTES / 2) throw refused(file, `${where}: not a random key`);
  if (isCounting(key)) throw refused(file, `${where}: not a random key`);
  return key;
}

function isCounting(key: Buffer): boolean {
  const step = ((key[1] ?? 0) - (key[0] ?? 0)) & 0xff;
  return key.every((byte, at) => at === 0 || ((byte - (key[at - 1] ?? 0)) & 0xff) === step);
}

function refused(file: string, why: string, cause?: unknown): SecretError {
  return new SecretError('keyring', `keyring ${file} ${why}`, { cause });
}
