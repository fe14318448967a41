import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { openSecretStore, type SealContext, sealedComment, type SecretStore, SecretsSettings } from '@warder/secrets';
import { OpenBao } from '@warder/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { secretsMigrate } from './secrets-migrate.js';

const KEY = '8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d';
let database: EmbeddedPostgres;
let bao: OpenBao;
let client: pg.Client;
let root: string;
let configFile: string;
const opened: SecretStore[] = [];

beforeAll(async () => {
  [database, bao] = await Promise.all([startEmbeddedPostgres({ ephemeral: true }), OpenBao.start()]);
});
afterAll(() => Promise.all([database.stop(), bao.stop()]));
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'warder-migrate-'));
  mkdirSync(join(root, 'secrets'), { mode: 0o700 });
  writeFileSync(join(root, 'keyring'), `a ${KEY}\n`, { mode: 0o600 });
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query('DROP SCHEMA IF EXISTS credentials CASCADE');
  await client.query('CREATE SCHEMA credentials');
  await client.query('CREATE TABLE credentials.connection (id text PRIMARY KEY, generation int, refresh_token text)');
  const of = { table: 'connection', column: 'refresh_token', row: 'id', generation: 'generation', key: 'id' };
  const comment = sealedComment(of);
  await client.query(`COMMENT ON COLUMN credentials.connection.refresh_token IS '${comment}'`);
  const { data } = await bao.ask<{ data: { secret_id: string } }>(
    'POST',
    'auth/approle/role/warder-credentials/secret-id',
  );
  writeFileSync(join(root, 'secret-id'), data.secret_id, { mode: 0o600 });
  configFile = join(root, 'credentials.yaml');
  writeFileSync(configFile, JSON.stringify({ database: { url: database.url }, secrets: await settings(), pepper: {} }));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await client.end();
  await bao.ask('DELETE', 'kv/metadata/warder/static/files');
  await bao.ask('DELETE', 'kv/metadata/warder/static/mail');
  rmSync(root, { recursive: true, force: true });
});

async function settings(): Promise<SecretsSettings> {
  const approle = { roleId: await bao.roleId(), secretIdFile: join(root, 'secret-id') };
  const embedded = { dir: join(root, 'secrets'), keyringFile: join(root, 'keyring') };
  return SecretsSettings.parse({ ...embedded, vault: { url: bao.url, approle } });
}

async function open(kind: 'embedded' | 'vault'): Promise<SecretStore> {
  const store = await openSecretStore(await settings(), kind);
  opened.push(store);
  return store;
}

async function migrate(...args: string[]): Promise<{ code: number; said: string }> {
  let said = '';
  const write = (text: string) => void (said += text);
  const code = await secretsMigrate([...args, '--config', configFile], { out: write, error: write });
  return { code, said };
}

const at = (row: string, generation: number): SealContext => ({
  table: 'connection',
  row,
  column: 'refresh_token',
  generation,
});

async function insert(store: SecretStore, rows: number): Promise<void> {
  for (let n = 0; n < rows; n += 1) {
    const id = `con_${String(n).padStart(3, '0')}`;
    const sealed = await store.seal(Buffer.from(`rt_canary_${n}`), at(id, n));
    await client.query('INSERT INTO credentials.connection VALUES ($1, $2, $3)', [id, n, sealed]);
  }
}

async function stored(): Promise<{ id: string; generation: number; refresh_token: string }[]> {
  return (await client.query('SELECT * FROM credentials.connection ORDER BY id')).rows;
}

describe('warder secrets migrate', () => {
  it('moves everything to the vault and back, each value what it was, and shows none', async () => {
    const embedded = await open('embedded');
    await embedded.put('static/files', 'Bearer canary');
    await embedded.put('static/mail', 'canary ü');
    await insert(embedded, 230);
    const there = await migrate('--from', 'embedded', '--to', 'vault', '--remove');
    expect(there).toEqual({
      code: 0,
      said:
        'named secrets: 2 of 2, 2 moved, 0 there already, 0 failed\n' +
        'credentials.connection.refresh_token: 230 of 230, 230 moved, 0 there already, 0 failed\n' +
        'removed from the embedded store: 2\n',
    });
    expect(await embedded.list()).toEqual([]);
    const vault = await open('vault');
    expect(await vault.get('static/mail')).toBe('canary ü');
    for (const { id, generation, refresh_token: sealed } of await stored()) {
      expect(sealed).toMatch(/^t1\./);
      expect((await vault.open(sealed, at(id, generation))).toString()).toBe(`rt_canary_${generation}`);
    }
    const back = await migrate('--from', 'vault', '--to', 'embedded');
    expect(back.code).toBe(0);
    expect(there.said + back.said).not.toContain('canary');
    expect(await embedded.get('static/files')).toBe('Bearer canary');
    const [first] = await stored();
    expect((await embedded.open(first!.refresh_token, at('con_000', 0))).toString()).toBe('rt_canary_0');
    expect(await vault.list()).toEqual(['static/files', 'static/mail']);
  });

  it('is begun again after it was killed or the vault went away, and moves what is left', async () => {
    const embedded = await open('embedded');
    await embedded.put('static/files', 'one');
    await insert(embedded, 40);
    const vault = await open('vault');
    for (const { id, generation, refresh_token: sealed } of (await stored()).slice(0, 15)) {
      const moved = await vault.seal(await embedded.open(sealed, at(id, generation)), at(id, generation));
      await client.query('UPDATE credentials.connection SET refresh_token = $1 WHERE id = $2', [moved, id]);
    }
    await bao.seal();
    const refused = await migrate('--from', 'embedded', '--to', 'vault');
    expect(refused).toEqual({
      code: 2,
      said: 'warder secrets migrate: the vault store is sealed: the vault is sealed: unseal it\n',
    });
    await bao.unseal();
    expect(await migrate('--from', 'embedded', '--to', 'vault')).toEqual({
      code: 0,
      said:
        'named secrets: 1 of 1, 1 moved, 0 there already, 0 failed\n' +
        'credentials.connection.refresh_token: 40 of 40, 25 moved, 15 there already, 0 failed\n',
    });
    expect((await migrate('--from', 'embedded', '--to', 'vault')).said).toContain(
      '40 of 40, 0 moved, 40 there already',
    );
  });

  it('names what it cannot open and leaves it, and removes nothing then', async () => {
    const embedded = await open('embedded');
    await embedded.put('static/files', 'one');
    await insert(embedded, 3);
    await client.query(`UPDATE credentials.connection SET generation = 7 WHERE id = 'con_001'`);
    const { code, said } = await migrate('--from', 'embedded', '--to', 'vault', '--remove');
    expect(code).toBe(1);
    expect(said).toContain('not moved: connection.refresh_token of con_001: ');
    expect(said).toContain('3 of 3, 2 moved, 0 there already, 1 failed');
    expect((await stored())[1]?.refresh_token).toMatch(/^v2\./);
    expect(await embedded.list()).toEqual(['static/files']);
  });

  it('does not begin while the credentials service runs, nor with a keyring that others read', async () => {
    await client.query(`SELECT pg_advisory_lock(hashtext('warder_outbox'), hashtext('credentials'))`);
    expect(await migrate('--from', 'embedded', '--to', 'vault')).toMatchObject({
      code: 2,
      said: expect.stringContaining('stop it before'),
    });
    chmodSync(join(root, 'keyring'), 0o644);
    expect((await migrate('--from', 'embedded', '--to', 'vault')).said).toContain('can be read or written by others');
  });

  it('says how it is used', async () => {
    for (const args of [[], ['--from', 'vault', '--to', 'vault'], ['--from', 'files', '--to', 'vault']])
      expect(await migrate(...args)).toMatchObject({
        code: 2,
        said: expect.stringMatching(/^warder secrets migrate --from/),
      });
  });
});
