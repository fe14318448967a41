import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a file that only this user can read: whole or not at all, whatever stood there before. */
export function writePrivateFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.new`;
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, text, { mode: 0o600, flag: 'wx' });
  // The mode of `open` is cut by the umask and never widened by it; said again for the reader's peace.
  chmodSync(unfinished, 0o600);
  renameSync(unfinished, file);
}

/** The text of a secret file; made of 32 random bytes, base64url, the first time. */
export function readOrMakeSecret(file: string): string {
  if (!existsSync(file)) writePrivateFile(file, `${randomBytes(32).toString('base64url')}\n`);
  return readFileSync(file, 'utf8').trim();
}
