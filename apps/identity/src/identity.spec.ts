import { statSync, writeFileSync } from 'node:fs';
import { startEmbeddedPostgres } from '@warder/postgres';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdentityScene } from './identity.scene.js';

let scene: IdentityScene;
beforeEach(async () => {
  scene = await IdentityScene.create();
});
afterEach(() => scene.close());

describe('the first start', () => {
  it('makes one administrator and leaves its token to its reader alone', async () => {
    await scene.start();
    const who = await scene.ask('GET', '/me');
    expect(who.body.principal).toMatchObject({ name: 'Administrator', roles: ['admin', 'auditor'] });
    expect(statSync(scene.tokenFile).mode & 0o777).toBe(0o600);
    const token = scene.adminToken;
    await scene.stop();
    await scene.start();
    expect(scene.adminToken).toBe(token);
    expect((await scene.ask('GET', '/principals')).body.principals).toHaveLength(1);
  });

  it('is repeated with the same token when it was cut short before the commit', async () => {
    await scene.start();
    const token = scene.adminToken;
    await scene.stop();
    await scene.query('DROP SCHEMA identity CASCADE');
    await scene.start();
    expect((await scene.ask('GET', '/me', undefined, token)).status).toBe(200);
  });

  it('refuses a token file that holds something else', async () => {
    writeFileSync(scene.tokenFile, 'not a token');
    await expect(scene.start()).rejects.toThrow('holds no token');
  });
});

describe('identity', () => {
  it('publishes everything again on an empty bus, revocations included', async () => {
    await scene.start();
    const { body: made } = await scene.ask('POST', '/principals', { name: 'Ana' });
    const { body: issued } = await scene.ask('POST', '/tokens', { principalId: made.id, name: 'n' });
    await scene.ask('DELETE', `/principals/${made.id}`);
    await scene.stop();
    await scene.start();
    await vi.waitFor(() => {
      expect(scene.principals.get(made.id)).toMatchObject({ version: 2, status: 'removed' });
      expect([...scene.tokens.values()].find(({ id }) => id === issued.id)).toMatchObject({
        version: 2,
        status: 'revoked',
      });
    });
  });

  it('publishes at the next start what was committed when it was killed', async () => {
    await scene.start();
    await scene.ask('POST', '/principals', { name: 'Ana' });
    await vi.waitFor(() => expect(scene.records.length).toBeGreaterThan(0));
    await scene.stop();
    const recordId = '0198c000-0000-7000-8000-000000000001';
    const [[next]] = (await scene.query(
      'UPDATE identity.admin_record_log SET last_sequence = last_sequence + 1 RETURNING last_sequence::int AS sequence',
    )) as unknown as [[{ sequence: number }]];
    const { sequence } = next;
    const record = JSON.stringify({ ...scene.records[0], recordId, sequence, index: sequence - 1 });
    await scene.query(`INSERT INTO identity.outbox (topic, key, value)
      VALUES ('warder.audit.recorded.v1', '${recordId}', '${record}')`);
    await scene.start();
    await vi.waitFor(() => expect(scene.records.map((each) => each.recordId)).toContain(recordId));
    await vi.waitFor(async () => expect(await scene.query('SELECT key FROM identity.outbox')).toEqual([]));
  });

  it('answers 503 while its database is away, changes nothing, and recovers with it', async () => {
    const dataDir = `${scene.directory}/postgres`;
    await scene.database.stop();
    scene.database = await startEmbeddedPostgres({ dataDir, tcp: { password: 'test' } });
    const url = scene.database.tcpUrl!;
    await scene.start({ database: { url } });
    await scene.ask('POST', '/principals', { name: 'Ana' });
    await scene.database.stop();
    const away = await scene.ask('POST', '/principals', { name: 'Ben' });
    expect([away.status, away.body.error.code]).toEqual([503, 'WDR_STORE_UNAVAILABLE']);
    expect((await scene.ask('GET', '/principals')).status).toBe(503);
    scene.database = await startEmbeddedPostgres({
      dataDir,
      tcp: { password: 'test', port: Number(new URL(url).port) },
    });
    await vi.waitFor(async () => expect((await scene.ask('GET', '/principals')).status).toBe(200), { timeout: 10_000 });
    expect((await scene.ask('POST', '/principals', { name: 'Ben' })).status).toBe(201);
    await vi.waitFor(() => expect([...scene.principals.values()].map(({ name }) => name)).toContain('Ben'), {
      timeout: 10_000,
    });
  });
});
