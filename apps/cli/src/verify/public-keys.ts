import { createPublicKey, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EVERY_SERVICE } from '@warder/contracts';
import type { ReadCheckpoint } from '@warder/merkle-log';

const SUFFIX = '.pub';

/** A public key and the file that it stands in. */
export interface NamedKey {
  readonly file: string;
  /** The service whose key it is: the file's name before its first dot, so that an older key can lie beside a newer one. */
  readonly service: string;
  readonly key: KeyObject;
}

/**
 * The Ed25519 keys (PEM) of a directory, `<service>.pub` or `<service>.<anything>.pub`.
 * @throws Error where the directory cannot be read, holds none, or holds one that is no such key
 */
export function readPublicKeys(dir: string): NamedKey[] {
  const keys = readdirSync(dir)
    .filter((name) => name.endsWith(SUFFIX))
    .sort()
    .map((name) => ({ file: name, service: basename(name).split('.')[0]!, key: readKey(join(dir, name)) }));
  if (keys.length === 0) throw new Error(`${dir} holds no public key (<service>${SUFFIX})`);
  return keys;
}

/**
 * The key that signed a checkpoint, of those that may: an administration's log is signed by its service, every other one
 * by ingress. Where the key of that service is not there (standalone has one for all), any of them may.
 */
export function signerOf(checkpoint: ReadCheckpoint, keys: readonly NamedKey[]): NamedKey | undefined {
  const service = signingServiceOf(checkpoint.origin);
  const own = keys.filter((key) => key.service === service);
  return (own.length > 0 ? own : keys).find(({ key }) => checkpoint.isSignedBy(key));
}

/** The keys of services none of whose logs is among these: an export of all of them would hold one. */
export function keysWithoutLog(keys: readonly NamedKey[], logs: Iterable<string>): NamedKey[] {
  const heard = new Set([...logs].map(signingServiceOf));
  const services: readonly string[] = EVERY_SERVICE;
  return keys.filter(({ service }) => services.includes(service) && !heard.has(service));
}

function signingServiceOf(log: string): string {
  return /^admin\/(.+)$/.exec(log)?.[1] ?? 'ingress';
}

function readKey(path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(readFileSync(path));
  } catch {
    throw new Error(`${path} holds no public key in PEM`);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${path} holds no Ed25519 key`);
  return key;
}
