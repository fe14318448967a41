import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import NodeVault from 'node-vault';
import { TestAuthority, OpenBao } from '@warder/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SealContext, SecretStore } from '../secret-store.js';
import { VaultSettings } from './vault-settings.js';
import { createVaultStore } from './vault-store.js';
import { vaultScene } from './vault.scene.js';

const AT: SealContext = { table: 'connection', row: 'con_1', column: 'refresh_token', generation: 1 };
const scene = vaultScene();
const opened: SecretStore[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const store of opened.splice(0)) await store.close();
  await scene.empty();
});

function open(settings: VaultSettings): SecretStore {
  const store = createVaultStore(settings);
  opened.push(store);
  return store;
}

/** Whatever an error shows to a log that prints it whole. */
const shown = (error: unknown) => `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)}`;

describe('the policy of the credentials service', () => {
  const capabilities = async (paths: string[]): Promise<Record<string, string[]>> => {
    const roleId = await scene.bao.roleId();
    const secret = await scene.bao.ask<{ data: { secret_id: string } }>(
      'POST',
      'auth/approle/role/warder-credentials/secret-id',
    );
    const login = { role_id: roleId, secret_id: secret.data.secret_id };
    const { auth } = await scene.bao.ask<{ auth: { client_token: string; token_policies: string[] } }>(
      'POST',
      'auth/approle/login',
      login,
    );
    expect(auth.token_policies).toEqual(['warder-credentials']);
    const body = { token: auth.client_token, paths };
    return scene.bao.ask<Record<string, string[]>>('POST', 'sys/capabilities', body);
  };

  it.each([
    ['transit/datakey/plaintext/warder', ['update']],
    ['transit/decrypt/warder', ['update']],
    ['transit/rewrap/warder', ['update']],
    ['kv/data/warder/static/files', ['create', 'read', 'update']],
    ['kv/metadata/warder/static/files', ['delete', 'list', 'read']],
    ['kv/metadata/warder/', ['delete', 'list', 'read']],
    ['auth/token/lookup-self', ['read']],
    ['auth/token/renew-self', ['update']],
    ['auth/token/revoke-self', ['update']],
  ])('lets it do with %s what it does there, and no more', async (path, allowed) => {
    expect((await capabilities([path]))[path]).toEqual(allowed);
  });

  it.each([
    'transit/datakey/plaintext/other',
    'transit/datakey/wrapped/warder',
    'transit/decrypt/other',
    'transit/encrypt/warder',
    'transit/keys/warder',
    'transit/keys/warder/rotate',
    'transit/export/encryption-key/warder',
    'transit/backup/warder',
    'kv/data/other/static/files',
    'kv/data/warder',
    'kv/data/warder-of-somebody/x',
    'kv/metadata/other/',
    'kv/destroy/warder/static/files',
    'kv/config',
    'auth/token/create',
    'auth/approle/role/warder-credentials/secret-id',
    'sys/policies/acl/warder-credentials',
    'sys/mounts',
    'sys/seal',
    'sys/audit',
    'cubbyhole/x',
  ])('does not let it near %s', async (path) => {
    expect((await capabilities([path]))[path]).toEqual(['deny']);
  });

  it('is enough for everything the service does, and a key beside ours is refused with its path', async () => {
    const store = open(await scene.settings());
    await store.put('static/files', 'one', 0);
    expect(await store.list()).toEqual(['static/files']);
    const sealed = await store.seal(Buffer.from('x'), AT);
    expect((await store.open(await store.rewrap(sealed, AT), AT)).toString()).toBe('x');
    expect(await store.remove('static/files')).toBe(true);
    await scene.bao.ask('POST', 'transit/keys/other', {});
    const other = open(await scene.settings({ transit: { key: 'other' }, kv: { prefix: 'other' } }));
    await expect(other.seal(Buffer.from('x'), AT)).rejects.toMatchObject({
      reason: 'refused',
      message: 'the vault answered 403 for transit/datakey/plaintext/other',
    });
    await expect(other.get('static/files')).rejects.toMatchObject({ reason: 'refused' });
  });
});

describe('what a vault store tells', () => {
  const debug = createRequire(createRequire(import.meta.url).resolve('node-vault'))('debug') as {
    enable(names: string): void;
    disable(): void;
    log: (...words: unknown[]) => void;
  };

  it('never shows a token, a secret id or a value, in errors nor in debug output', async () => {
    const lines: string[] = [];
    const { log } = debug;
    debug.log = (...words) => void lines.push(inspect(words, { depth: 20 }));
    debug.enable('*');
    try {
      const settings = await scene.settings({ timeoutMs: 500 });
      const wrapping = readFileSync(settings.approle?.wrappedSecretIdFile ?? '', 'utf8').trim();
      const store = open(settings);
      const errors: unknown[] = [];
      const fails = (work: Promise<unknown>) =>
        work.then(
          () => expect.unreachable(),
          (error) => errors.push(error),
        );
      await store.put('static/files', 'canary-value');
      await fails(store.put('static/files', 'canary-value', 7));
      await fails(store.open('t1.vault:v1:AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA', AT));
      await scene.bao.seal();
      await fails(store.put('static/files', 'canary-value'));
      await scene.bao.unseal();
      await scene.bao.pause();
      await fails(store.put('static/files', 'canary-value'));
      scene.bao.resume();
      await scene.bao.halt();
      await fails(store.put('static/files', 'canary-value'));
      await scene.bao.launch();
      await scene.bao.unseal();
      expect(errors).toHaveLength(5);
      const text = [...errors.map(shown), ...lines].join('\n');
      const secrets = ['canary', wrapping, settings.approle?.roleId ?? 'none', 'X-Vault-Token'];
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
      // As tokens look, wherever they came from.
      expect(text).not.toMatch(/\bs\.[A-Za-z0-9]{20}/);
      // The same library as it comes shows all of it: what was looked at here would have been seen.
      await NodeVault({ endpoint: scene.bao.url, token: 'canary-token' })
        .write('kv/data/warder/x', { data: { value: 'canary-value' } })
        .catch(() => undefined);
      expect(lines.join('\n')).toContain('canary-value');
      expect(lines.join('\n')).toContain('canary-token');
    } finally {
      debug.disable();
      debug.log = log;
    }
  });

  it('does not come from the environment that node-vault reads', async () => {
    const overheard: string[] = [];
    const proxy = createServer((socket) => socket.on('data', (bytes) => overheard.push(String(bytes))));
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as { port: number };
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'VAULT_ADDR'])
      vi.stubEnv(name, `http://127.0.0.1:${port}`);
    vi.stubEnv('NO_PROXY', '');
    vi.stubEnv('no_proxy', '');
    vi.stubEnv('VAULT_TOKEN', 's.of-somebody');
    vi.stubEnv('VAULT_NAMESPACE', 'of-somebody');
    vi.stubEnv('VAULT_PREFIX', '/of-somebody');
    const store = open(await scene.settings());
    expect(await store.put('static/files', 'one')).toBe(1);
    expect(overheard).toEqual([]);
    proxy.close();
  });
});

describe('sealed values of a vault store', () => {
  it('are sealed and opened with a known data key while the vault is away, and with no other', async () => {
    const store = open(await scene.settings());
    const known = await store.seal(Buffer.from('known'), AT);
    const other = await open(await scene.settings()).seal(Buffer.from('other'), AT);
    const another = open(await scene.settings());
    await scene.bao.seal();
    const meanwhile = await store.seal(Buffer.from('refreshed'), { ...AT, generation: 2 });
    expect((await store.open(known, AT)).toString()).toBe('known');
    await expect(store.open(other, AT)).rejects.toMatchObject({ reason: 'sealed' });
    await expect(another.seal(Buffer.from('x'), AT)).rejects.toMatchObject({ reason: 'sealed', isUnavailable: true });
    await scene.bao.unseal();
    const later = open(await scene.settings());
    expect((await later.open(meanwhile, { ...AT, generation: 2 })).toString()).toBe('refreshed');
    expect((await store.open(other, AT)).toString()).toBe('other');
  });

  it('no longer open once their key version may not decrypt, unless they were rewrapped before', async () => {
    const store = open(await scene.settings());
    const [left, moved] = [await store.seal(Buffer.from('left'), AT), await store.seal(Buffer.from('moved'), AT)];
    await scene.bao.ask('POST', 'transit/keys/warder/rotate');
    const rewrapped = await store.rewrap(moved, AT);
    const key = await scene.bao.ask<{ data: { latest_version: number } }>('GET', 'transit/keys/warder');
    await scene.bao.ask('POST', 'transit/keys/warder/config', { min_decryption_version: key.data.latest_version });
    const fresh = open(await scene.settings());
    await expect(fresh.open(left, AT)).rejects.toMatchObject({ reason: 'unknown-key' });
    expect((await fresh.open(rewrapped, AT)).toString()).toBe('moved');
  });

  it('ask the vault once for many opened at once', async () => {
    const writer = open(await scene.settings());
    const sealed = await Promise.all(
      Array.from({ length: 50 }, (_, at) => writer.seal(Buffer.from(`value ${at}`), { ...AT, row: `con_${at}` })),
    );
    const unwrapped = async () => (await scene.bao.auditLog()).split('"path":"transit/decrypt/warder"').length - 1;
    const before = await unwrapped();
    const reader = open(await scene.settings());
    const values = await Promise.all(sealed.map((text, at) => reader.open(text, { ...AT, row: `con_${at}` })));
    expect(values.map(String)).toEqual(Array.from({ length: 50 }, (_, at) => `value ${at}`));
    // A request and its answer.
    expect((await unwrapped()) - before).toBe(2);
  });
});

describe('the connection to a vault', () => {
  it('refuses one more call than may run or wait, and goes on', async () => {
    const store = open(await scene.settings({ callsMax: 4, connectionsMax: 1 }));
    await store.list();
    const settled = await Promise.allSettled(Array.from({ length: 12 }, () => store.get('static/files')));
    const refused = settled.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refused).toHaveLength(8);
    for (const error of refused) expect(error).toMatchObject({ reason: 'unreachable', message: /run already/ });
    expect(await store.get('static/files')).toBeUndefined();
  });

  it('is made to the authority that was named and to no other', async () => {
    const authority = await TestAuthority.make(scene.dir, 'vaults');
    const other = await TestAuthority.make(scene.dir, 'others');
    const bao = await OpenBao.start(await authority.certify('127.0.0.1'));
    try {
      const { approle } = await scene.settings();
      const wrappedSecretIdFile = approle?.wrappedSecretIdFile ?? '';
      const settings = async (caFile: string) => {
        const roleId = await bao.roleId();
        writeFileSync(wrappedSecretIdFile, await bao.wrappedSecretId());
        return VaultSettings.parse({ url: bao.tlsUrl, caFile, approle: { roleId, wrappedSecretIdFile } });
      };
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
      vi.stubEnv('VAULT_SKIP_VERIFY', '1');
      const deceived = open(await settings(other.caFile));
      await expect(deceived.list()).rejects.toMatchObject({ reason: 'unreachable' });
      expect(await open(await settings(authority.caFile)).put('static/files', 'one')).toBe(1);
    } finally {
      await bao.stop();
    }
  });

  it.each([
    ['plain HTTP to another machine', { url: 'http://vault.internal:8200' }],
    ['a path behind the origin', { url: 'http://127.0.0.1:8200/v1' }],
    ['a user in the URL', { url: 'http://root@127.0.0.1:8200' }],
    ['no way in', { approle: undefined }],
    ['two ways in', { jwt: { role: 'warder', tokenFile: '/run/jwt' } }],
    ['two secret ids', { approle: { roleId: 'r', secretIdFile: '/a', wrappedSecretIdFile: '/b' } }],
    ['a mount that leaves its place', { kv: { mount: '../sys' } }],
    ['data keys kept for long', { dataKeys: { keptMs: 3_600_000 } }],
  ])('is not configured with %s', (_what, changes) => {
    const settings = { url: 'http://127.0.0.1:8200', approle: { roleId: 'r', secretIdFile: '/run/secret-id' } };
    expect(VaultSettings.safeParse(settings).success).toBe(true);
    expect(VaultSettings.safeParse({ ...settings, ...changes }).success).toBe(false);
  });
});
