import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDataDirectory } from './data-directory.js';

it('makes the directory with all above it, its private part for this user only', () => {
  const dir = mkdtempSync(join(tmpdir(), 'warder-data-'));
  try {
    const { privateDir } = openDataDirectory(join(dir, 'some', 'where'));
    expect(statSync(privateDir).mode & 0o777).toBe(0o700);
    expect(openDataDirectory(join(dir, 'some', 'where')).privateDir).toBe(privateDir);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

it.runIf(process.platform === 'linux')('refuses a place where nothing can be made, instead of trying for ever', () => {
  expect(() => openDataDirectory('/proc/warder/data')).toThrow(
    '--data-dir: cannot write to /proc/warder/data (ENOENT)',
  );
});
