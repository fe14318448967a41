import { createPublicKey, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readOrMakeSigningKey } from './signing-key.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'warder-signing-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('is made once, readable by this user alone, and its public half lies where a verifier finds it', () => {
  const files = { signingKeyFile: join(root, 'private', 'signing.key'), publicKeysDir: join(root, 'public-keys') };
  const key = readOrMakeSigningKey(files);
  expect(statSync(files.signingKeyFile).mode & 0o777).toBe(0o600);
  const published = createPublicKey(readFileSync(join(files.publicKeysDir, 'standalone.pub')));
  const text = Buffer.from('a checkpoint');
  expect(verify(null, text, published, sign(null, text, key))).toBe(true);
  expect(readOrMakeSigningKey(files).equals(key)).toBe(true);
});
