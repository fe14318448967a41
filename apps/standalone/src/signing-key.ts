import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataDirectory } from './data-directory.js';
import { writePrivateFile } from './private-file.js';

/**
 * The Ed25519 key that signs the heads of the audit logs, made the first time. Its public half lies beside it for whoever
 * verifies; a copy of it that is kept elsewhere cannot be changed by who can write here.
 */
export function readOrMakeSigningKey(directory: Pick<DataDirectory, 'signingKeyFile' | 'publicKeysDir'>): KeyObject {
  const { signingKeyFile, publicKeysDir } = directory;
  if (!existsSync(signingKeyFile)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writePrivateFile(signingKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
  const key = createPrivateKey(readFileSync(signingKeyFile));
  mkdirSync(publicKeysDir, { recursive: true, mode: 0o755 });
  const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' });
  writeFileSync(join(publicKeysDir, 'standalone.pub'), pem, { mode: 0o644 });
  return key;
}
