import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeyringStore } from './keyring-store.js';
import type { RewrapProgress } from './rewrap-all.js';
import { secretStoreContract } from './secret-store.contract.js';

const KEY_A = '8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d';
const KEY_B = '45c48cce2e2d7fbdea1afc51c7c6ad26d3d9446802a44259755d38e6d163e820';
/** Written by Warder before values were bound to their generation. */
const V1_OF_STATIC_FILES = 'v1.a.AAECAwQFBgcICQoL.Z-s3crsNcqw2FPCw6CjDTw.0xJOn6unjH-2DgwluUBgRA';
let root: string;
let dir: string;
let keyringFile: string;

const writeKeyring = (text: string, mode = 0o600) => {
  writeFileSync(keyringFile, text);
  chmodSync(keyringFile, mode);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'warder-secrets-'));
  dir = join(root, 'secrets');
  keyringFile = join(root, 'keyring');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

secretStoreContract('the embedded store', {
  start: async () => {
    writeKeyring(`a ${KEY_A}\n`);
    mkdirSync(dir, { mode: 0o700 });
    return {
      open: async () => createKeyringStore({ dir, keyringFile }),
      turnKey: async () => writeKeyring(`a ${KEY_A}\nb ${KEY_B}\n`),
      takeAway: async () => {
        renameSync(dir, `${dir}.away`);
        writeFileSync(dir, 'in the way');
      },
      giveBack: async () => {
        rmSync(dir);
        renameSync(`${dir}.away`, dir);
      },
      awayState: 'unreachable',
    };
  },
});

describe('the keyring', () => {
  it.each([
    ['missing', undefined, 0o600, /ENOENT/],
    ['readable by others', `a ${KEY_A}\n`, 0o644, /others/],
    ['writable by its group', `a ${KEY_A}\n`, 0o660, /others/],
    ['empty', '# nothing\n', 0o600, /no key/],
    ['all zero', `a ${'00'.repeat(32)}\n`, 0o600, /not a random key/],
    [
      'counting',
      `a ${Array.from({ length: 32 }, (_, at) => at.toString(16).padStart(2, '0')).join('')}\n`,
      0o600,
      /random/,
    ],
    ['a default', 'a default\n', 0o600, /default key/],
    ['short', 'a abcdef\n', 0o600, /64 hex/],
    ['twice the same id', `a ${KEY_A}\na ${KEY_B}\n`, 0o600, /twice/],
  ])('refuses when it is %s', (_what, text, mode, message) => {
    if (text !== undefined) writeKeyring(text, mode);
    expect(() => createKeyringStore({ dir, keyringFile })).toThrow(message);
  });

  it('never repeats a key in its refusal', () => {
    writeKeyring(`a ${KEY_A}extra\n`);
    expect(() => createKeyringStore({ dir, keyringFile })).toThrow(/^(?!.*8f14e45f)/);
  });

  it('is made once, 0600, by the writer only, and never in front of sealed files', async () => {
    const store = createKeyringStore({ dir, keyringFile, create: true });
    expect(statSync(keyringFile).mode & 0o777).toBe(0o600);
    await store.put('static/files', 'one');
    expect(await createKeyringStore({ dir, keyringFile, create: true }).get('static/files')).toBe('one');
    rmSync(keyringFile);
    expect(() => createKeyringStore({ dir, keyringFile, create: true })).toThrow(/ENOENT/);
  });
});

describe('the keyring store', () => {
  it('gives back what was put, keeps it sealed in a 0600 file, and leaves nothing unfinished', async () => {
    writeKeyring(`a ${KEY_A}\n`);
    const store = createKeyringStore({ dir, keyringFile, create: true });
    await store.put('static/files', 'Bearer ghp_canary ü');
    await store.put('static/files', 'Bearer ghp_canary2 ü');
    await store.put('static/mail', '');
    expect(await store.get('static/files')).toBe('Bearer ghp_canary2 ü');
    expect(await store.get('static/mail')).toBe('');
    expect(await store.list()).toEqual(['static/files', 'static/mail']);
    expect(readdirSync(dir).sort()).toEqual(['static.files.sealed', 'static.mail.sealed']);
    const path = join(dir, 'static.files.sealed');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(readFileSync(path, 'utf8')).toMatch(/^2 v2\.a\.[\w-]{16}\.[\w-]+\.[\w-]{22}\n$/);
    expect(await store.remove('static/files')).toBe(true);
    expect(await store.remove('static/files')).toBe(false);
    expect(await store.get('static/files')).toBeUndefined();
  });

  it('does not open a secret under another name, nor an altered one', async () => {
    writeKeyring(`a ${KEY_A}\n`);
    const store = createKeyringStore({ dir, keyringFile, create: true });
    await store.put('static/files', 'secret');
    const envelope = readFileSync(join(dir, 'static.files.sealed'), 'utf8');
    writeFileSync(join(dir, 'static.mail.sealed'), envelope);
    await expect(store.get('static/mail')).rejects.toMatchObject({ reason: 'damaged' });
    const [format, id, nonce, sealed = '', tag = ''] = envelope.trim().split('.');
    const flipped = (sealed.startsWith('A') ? 'B' : 'A') + sealed.slice(1);
    for (const forged of [
      [format, id, nonce, flipped, tag],
      [format, id, nonce, sealed, tag.slice(0, 6)],
      ['1 v2', 'a'],
      ['v1', 'a'],
      [(format ?? '').replace('1 ', '2 '), id, nonce, sealed, tag],
      [],
    ]) {
      writeFileSync(join(dir, 'static.files.sealed'), forged.join('.'));
      await expect(store.get('static/files')).rejects.toMatchObject({ reason: 'damaged' });
    }
  });

  it('rotates by adding a key: old secrets open, new ones are sealed with the last, a reader follows', async () => {
    writeKeyring(`a ${KEY_A}\n`);
    const reader = createKeyringStore({ dir, keyringFile, create: true });
    await reader.put('static/files', 'old');
    writeKeyring(`a ${KEY_A}\nb ${KEY_B}\n`);
    const writer = createKeyringStore({ dir, keyringFile });
    expect(await writer.get('static/files')).toBe('old');
    await writer.put('static/mail', 'new');
    expect(readFileSync(join(dir, 'static.mail.sealed'), 'utf8')).toMatch(/^1 v2\.b\./);
    expect(await reader.get('static/mail')).toBe('new');
    writeKeyring(`b ${KEY_B}\n`);
    await expect(createKeyringStore({ dir, keyringFile }).get('static/files')).rejects.toMatchObject({
      reason: 'unknown-key',
    });
  });

  it('takes no name that leaves its directory, and no secret past its bound or that UTF-8 cannot hold', async () => {
    const store = createKeyringStore({ dir, keyringFile, create: true });
    for (const name of [
      '../x',
      'static/../x',
      'static',
      'static/.',
      '/static/x',
      'static/x/',
      'static\\x',
      'static/x\0',
    ])
      await expect(store.put(name, 'x')).rejects.toMatchObject({ reason: 'name' });
    await expect(store.put('static/x', 'x'.repeat(65_537))).rejects.toMatchObject({ reason: 'too-large' });
    await expect(store.put('static/x', '\ud800')).rejects.toMatchObject({ reason: 'damaged' });
    expect(await store.list()).toEqual([]);
  });

  it('opens a secret that an earlier Warder sealed, and seals it anew in the background, version and all', async () => {
    writeKeyring(`a ${KEY_A}\n`);
    mkdirSync(dir, { mode: 0o700 });
    const path = join(dir, 'static.files.sealed');
    writeFileSync(path, V1_OF_STATIC_FILES);
    const store = createKeyringStore({ dir, keyringFile });
    expect(await store.read('static/files')).toEqual({ value: 'Bearer of before', version: 1 });
    writeFileSync(join(dir, 'static.mail.sealed'), V1_OF_STATIC_FILES);
    await expect(store.get('static/mail')).rejects.toMatchObject({ reason: 'damaged' });
    const seen: RewrapProgress[] = [];
    expect(await store.reencrypt((progress) => seen.push(progress))).toEqual({
      total: 2,
      done: 2,
      changed: 1,
      failed: 1,
    });
    expect(seen.map(({ done }) => done)).toEqual([1, 2]);
    expect(readFileSync(path, 'utf8')).toMatch(/^1 v2\.a\./);
    expect(await store.read('static/files')).toEqual({ value: 'Bearer of before', version: 1 });
    expect(await store.put('static/files', 'Bearer of now', 1)).toBe(2);
  });

  it('does not take a text of its own format that stands for another generation, key or store', async () => {
    writeKeyring(`a ${KEY_A}\nb ${KEY_B}\n`);
    const store = createKeyringStore({ dir, keyringFile, create: true });
    const at = { table: 'connection', row: 'con_1', column: 'refresh_token', generation: 1 };
    const sealed = await store.seal(Buffer.from('secret'), at);
    await expect(store.open(sealed.replace('v2.b.', 'v2.a.'), at)).rejects.toMatchObject({ reason: 'damaged' });
    await expect(store.open(sealed.replace('v2.b.', 'v2.z.'), at)).rejects.toMatchObject({ reason: 'unknown-key' });
    await expect(store.open(sealed.replace('v2.', 'v1.'), at)).rejects.toMatchObject({ reason: 'damaged' });
  });
});
