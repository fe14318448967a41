import { createPublicKey, type KeyObject } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../config-error.js';
import { keyOfFile } from './key-of-file.js';

const SETTING = 'bus.signing.publicKeysDir';

/**
 * Public keys of a service: `<service>.pub`, and `<service>.<any>.pub` of another that is to take its place. With one of them
 * the service signs, and all are believed.
 * @throws ConfigError for a directory that cannot be read or holds none, and for a file that holds no key
 */
export function publicKeysIn(dir: string, service: string): readonly KeyObject[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    throw new ConfigError(`${SETTING}: ${dir} cannot be read`);
  }
  const own = names.filter((name) => new RegExp(`^${service}(?:\\.[^.]+)?\\.pub$`).test(name)).sort();
  if (own.length === 0) throw new ConfigError(`${SETTING}: ${dir} holds no ${service}.pub`);
  return own.map((name) => keyOfFile(SETTING, join(dir, name), createPublicKey));
}
