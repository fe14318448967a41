import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StateImage } from './node-state.js';

/** What a node knew, and when it had last heard of identity. */
export interface LastGood {
  /** Wall milliseconds. */
  readonly identityHeardAtMs: number;
  readonly image: StateImage;
}

const MAGIC = Buffer.from('warder-replica-1\n');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals the state (AES-256-GCM): it holds who may do what, and whoever could write it could let themselves in. */
export function sealImage(lastGood: LastGood, key: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(MAGIC);
  const body = Buffer.concat([cipher.update(JSON.stringify(lastGood), 'utf8'), cipher.final()]);
  return Buffer.concat([MAGIC, nonce, cipher.getAuthTag(), body]);
}

/** @returns undefined for anything that was not sealed with this key */
export function openImage(sealed: Buffer, key: Uint8Array): LastGood | undefined {
  const bodyAt = MAGIC.length + NONCE_BYTES + TAG_BYTES;
  if (sealed.length < bodyAt || !sealed.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const nonce = sealed.subarray(MAGIC.length, MAGIC.length + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(MAGIC);
  decipher.setAuthTag(sealed.subarray(MAGIC.length + NONCE_BYTES, bodyAt));
  try {
    const text = decipher.update(sealed.subarray(bodyAt)).toString('utf8') + decipher.final('utf8');
    return JSON.parse(text) as LastGood;
  } catch {
    return undefined;
  }
}

/** Writes the sealed state in one step: a crash leaves the old file or the new one. Mode 0600. */
export async function writeImage(path: string, sealed: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.new`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    await file.writeFile(sealed);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

/** The sealed bytes; undefined if there are none. */
export async function readImage(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
