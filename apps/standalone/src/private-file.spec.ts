import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readOrMakeSecret, writePrivateFile } from './private-file.js';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'warder-private-'))));
afterEach(() => rmSync(dir, { recursive: true }));

describe('a private file', () => {
  it('is readable by its owner only, even where a looser one stood', () => {
    const file = join(dir, 'token');
    writeFileSync(file, 'old');
    chmodSync(file, 0o644);
    writePrivateFile(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps a secret once it is made', () => {
    const file = join(dir, 'pepper');
    const secret = readOrMakeSecret(file);
    expect(secret.length).toBe(43);
    expect(readOrMakeSecret(file)).toBe(secret);
  });
});
