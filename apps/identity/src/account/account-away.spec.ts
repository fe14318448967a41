import { startEmbeddedPostgres } from '@warder/postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { IdentityScene } from '../identity.scene.js';
import { Person, tellPolicy } from './account.scene.js';

let scene: IdentityScene;
let dataDir: string;

beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.database.stop();
  dataDir = `${scene.directory}/postgres`;
  scene.database = await startEmbeddedPostgres({ dataDir, tcp: { password: 'test' } });
  await scene.start({ database: { url: scene.database.tcpUrl! }, signIn: { attemptsPerMinute: 10_000 } });
  await tellPolicy(scene);
});
afterAll(() => scene?.close());

it('tell that the database is away, with its code on record, and go on where they were once it is back', async () => {
  const ana = await Person.make(scene, 'ana');
  const page = await ana.come();
  const other = ana.elsewhere();
  await other.come();
  const { port } = new URL(scene.database.tcpUrl!);
  await scene.database.stop();
  const answers = [
    await ana.open(),
    await ana.open('/tokens/new'),
    await ana.send(page, '/sessions/end-others'),
    await ana.send(page, '/sign-out'),
  ];
  for (const { status, text } of answers) {
    expect([status, text.includes('Warder cannot look that up at the moment.')]).toEqual([503, true]);
    expect(text).not.toMatch(/ana@|postgres|oauth_item/i);
  }
  scene.database = await startEmbeddedPostgres({ dataDir, tcp: { password: 'test', port: Number(port) } });
  await expect.poll(async () => (await ana.open()).text, { timeout: 15_000 }).toContain('Your account');
  expect((await other.open()).text).toContain('Your account');
  await expect
    .poll(() => scene.records.map(({ refusal }) => refusal?.code), { timeout: 20_000 })
    .toContain('WDR_STORE_UNAVAILABLE');
});
