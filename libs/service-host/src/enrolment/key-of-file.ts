import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../config-error.js';

/**
 * A key in PEM.
 * @param setting - that names the file
 * @throws ConfigError for a file that cannot be read or holds none
 */
export function keyOfFile(setting: string, file: string, make: (pem: Buffer) => KeyObject): KeyObject {
  const pem = bytesOfFile(setting, file);
  try {
    return make(pem);
  } catch {
    throw new ConfigError(`${setting}: ${file} holds no key in PEM`);
  }
}

/** @throws ConfigError for a file that cannot be read */
export function bytesOfFile(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new ConfigError(`${setting}: ${file} cannot be read`);
  }
}
