import { readFileSync } from 'node:fs';

const SECRET_BYTES_MAX = 65_536;

/**
 * The one line of a mounted secret.
 * @param key - the configuration's key, for the error: neither path nor content is in it
 * @throws Error for a file that cannot be read, is empty, longer than 64 KiB, or more than one line
 */
export function readSecretFile(path: string, key: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${key} cannot be read (${code ?? 'unknown'})`, { cause: error });
  }
  // Headers and signatures take no control character, and an error about one would show the secret.
  if (text === '' || text.length > SECRET_BYTES_MAX || !/^[\x20-\x7e]+$/.test(text))
    throw new Error(`${key} holds no secret: one line of printable ASCII, 64 KiB at most`);
  return text;
}
