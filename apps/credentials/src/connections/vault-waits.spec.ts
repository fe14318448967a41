import { openSecretStore, SecretsSettings, type SecretStore } from '@warder/secrets';
import { OpenBao } from '@warder/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { vaultSecrets } from '../vault.scene.js';
import { ConnectionsScene, SceneBrowser } from './connections.scene.js';
import { FakeProvider } from './fake-provider.scene.js';

let scene: ConnectionsScene;
let bao: OpenBao;
let fake: FakeProvider;
let store: SecretStore;

beforeAll(async () => {
  [scene, bao] = await Promise.all([ConnectionsScene.create(), OpenBao.start()]);
  store = await openSecretStore(SecretsSettings.parse(await vaultSecrets(bao, scene.root)));
});
afterAll(async () => {
  await store?.close();
  await Promise.all([scene?.end(), bao?.stop()]);
});
beforeEach(async () => {
  for (const name of await store.list()) await store.remove(name);
  fake = await FakeProvider.start();
  // Data keys are kept for a second: what is sealed or opened later has to ask the vault.
  scene.secrets = await vaultSecrets(bao, scene.root, { timeoutMs: 2_000, dataKeys: { keptMs: 1_000 } });
  await scene.start(fake);
  await scene.setUp(fake);
});
afterEach(async () => {
  bao.resume();
  await scene.stop();
  await fake.stop();
});

/** How many transactions of the service are open and do nothing: those that wait for somebody else than the database. */
async function idleInTransaction(): Promise<number> {
  const [found] = (await scene.source.query(
    `SELECT count(*)::int AS n FROM pg_stat_activity
      WHERE state LIKE 'idle in transaction%' AND datname = current_database()`,
  )) as [{ n: number }];
  return found.n;
}

/** The most of them that were seen while something ran. */
async function mostIdleDuring(work: Promise<unknown>): Promise<number> {
  let isOver = false;
  let most = 0;
  const ended = work.finally(() => (isOver = true));
  while (!isOver) {
    most = Math.max(most, await idleInTransaction());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await ended;
  return most;
}

const provider = (clientSecret: string): object => {
  return { entry: 'internal-oauth', clientId: fake.client.id, clientSecret, parameters: fake.parameters };
};
const named = async (): Promise<{ secret_name: string | null }> => {
  const [row] = (await scene.source.query(`SELECT secret_name FROM credentials.provider WHERE id = 'fake'`)) as [
    { secret_name: string | null },
  ];
  return row;
};
const keysEnded = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_200));

describe('while the vault does not answer', () => {
  it('no transaction of the database is open, whatever waits for it: a client, a refresh, a new connection', async () => {
    const id = await scene.connect();
    const location = await beginOf('ben');
    await keysEnded();
    await bao.pause();
    await scene.makeDue(id);
    const asked = Promise.all([
      scene.ask('PUT', '/providers/fake', provider('another-canary')),
      scene.ask('PUT', '/providers/other', provider('other-canary')),
      location.finish(),
    ]);
    expect(await mostIdleDuring(asked)).toBe(0);
    const [fakePut, otherPut, finished] = await asked;
    expect([fakePut, otherPut].map(({ status, body }) => [status, body['error']])).toEqual(
      [1, 2].map(() => [503, expect.objectContaining({ code: 'WDR_SECRET_STORE_UNAVAILABLE' })]),
    );
    expect(finished.status).toBe(503);
    expect(fake.tokenRequests.filter((form) => form.get('grant_type') === 'refresh_token')).toEqual([]);
    expect(await scene.row(id)).toMatchObject({ generation: 1, intent: null, status: 'active' });
    bao.resume();
    await vi.waitFor(() => expect(scene.states.get(id)).toMatchObject({ generation: 2 }), 20_000);
  });

  /** A consent that is given while the vault answers and comes back while it does not. */
  async function beginOf(name: 'ben'): Promise<{ finish(): Promise<{ status: number }> }> {
    const browser = new SceneBrowser(scene, `usr_${name}`);
    const to = await browser.begin('fake');
    return { finish: () => browser.go(to) };
  }
});

describe('the secret of a client', () => {
  it('is the one that its row names, at every moment, and the one before is gone from the vault', async () => {
    const before = (await named()).secret_name!;
    expect(await store.get(before)).toBe(fake.client.secret);
    expect((await scene.ask('PUT', '/providers/fake', provider('second-canary'))).status).toBe(200);
    const after = (await named()).secret_name!;
    expect([await store.get(after), await store.get(before)]).toEqual(['second-canary', undefined]);
    expect(await store.list()).toEqual([after]);
  });

  it('is one of them where several give one at once, and no other is left', async () => {
    const secrets = Array.from({ length: 6 }, (_, n) => `secret-canary-${n}`);
    const answers = await Promise.all(secrets.map((each) => scene.ask('PUT', '/providers/fake', provider(each))));
    expect(answers.map(({ status }) => status)).toEqual(secrets.map(() => 200));
    const { secret_name: name } = await named();
    expect(secrets).toContain(await store.get(name!));
    expect(await store.list()).toEqual([name]);
  });

  it('stays the one of before where the database takes the new one not, and what nobody names is removed later', async () => {
    const before = (await named()).secret_name!;
    await scene.source.query(`ALTER TABLE credentials.provider ADD CONSTRAINT no CHECK (client_id <> 'refused')`);
    const refused = await scene.ask('PUT', '/providers/fake', { ...provider('lost-canary'), clientId: 'refused' });
    expect(refused.status).toBe(500);
    expect((await named()).secret_name).toBe(before);
    expect(await store.get(before)).toBe(fake.client.secret);
    expect(await store.list()).toHaveLength(2);
    // Nobody knows for an hour that no row is about to name it.
    await scene.running!.stop();
    // A wrapped secret id is good for one try: a machine that is busy may take its time for it.
    scene.secrets = await vaultSecrets(bao, scene.root, { timeoutMs: 10_000 });
    scene.aheadMs = 3_601_000;
    await scene.startService(fake);
    await vi.waitFor(async () => expect(await store.list()).toEqual([before]), 20_000);
  });

  it('is removed with its provider, while the vault is away later', async () => {
    await scene.ask('PUT', '/providers/gone', provider('gone-canary'));
    const name = (await store.list()).find((each) => each.startsWith('provider/gone/'));
    expect(await store.get(name!)).toBe('gone-canary');
    await bao.pause();
    expect((await scene.ask('DELETE', '/providers/gone')).status).toBe(200);
    bao.resume();
    await scene.running!.stop();
    // A wrapped secret id is good for one try: a machine that is busy may take its time for it.
    scene.secrets = await vaultSecrets(bao, scene.root, { timeoutMs: 10_000 });
    scene.aheadMs = 3_601_000;
    await scene.startService(fake);
    await vi.waitFor(async () => expect(await store.list()).not.toContain(name), 20_000);
  });
});
