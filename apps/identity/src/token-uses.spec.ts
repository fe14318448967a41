import { tokenUsedTopic } from '@warder/contracts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { IdentityScene } from './identity.scene.js';

let scene: IdentityScene;
beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start();
});
afterAll(() => scene.close());

interface Told {
  readonly tokens: { id: string; version: number; lastUsedAtMs: number | null }[];
}
const listed = async (path = '/tokens') => ((await scene.ask('GET', path)).body as unknown as Told).tokens;
const used = (node: string, ...uses: [tokenId: string, atMs: number][]) =>
  scene.bus.publish(tokenUsedTopic, node, { node, uses: uses.map(([tokenId, atMs]) => ({ tokenId, atMs })) });

it('shows when a token was last used, by any node, however late and often it is told', async () => {
  const { body: made } = await scene.ask('POST', '/principals', { name: 'Ana' });
  const { body: issued } = await scene.ask('POST', '/tokens', { principalId: made.id, name: 'laptop' });
  const lastUsed = async () => {
    const [token] = await listed(`/tokens?principalId=${made.id}`);
    return { lastUsedAtMs: token!.lastUsedAtMs, version: token!.version };
  };
  expect(await lastUsed()).toEqual({ lastUsedAtMs: null, version: 1 });
  await used('n1', [issued.id, 2_000], ['pat_unknown', 2_000], [issued.id, 1_000.5]);
  await vi.waitFor(async () => expect(await lastUsed()).toEqual({ lastUsedAtMs: 2_000, version: 1 }));
  await used('n2', [issued.id, 1_000]);
  await used('n1', [issued.id, 2_000]);
  await used('n1', [issued.id, 3_000]);
  await vi.waitFor(async () => expect((await lastUsed()).lastUsedAtMs).toBe(3_000));
  await scene.ask('POST', `/tokens/${issued.id}/rotate`, {});
  expect((await lastUsed()).lastUsedAtMs).toBe(3_000);
});

it('takes no use for one of the future, whatever the clock of a node says', async () => {
  const [own] = await listed('/me/tokens');
  await used('n1', [own!.id, Date.now() + 86_400_000]);
  const told = await vi.waitFor(async () => {
    const [{ lastUsedAtMs } = { lastUsedAtMs: null }] = await listed('/me/tokens');
    expect(lastUsedAtMs).not.toBeNull();
    return lastUsedAtMs!;
  });
  expect(told).toBeLessThanOrEqual(Date.now());
});

it('is told of tokens that are used at admin doors only, when the process ends at the latest', async () => {
  await scene.stop();
  const told: string[] = [];
  await scene.start();
  await scene.bus.watch(tokenUsedTopic, 'beginning', ({ value }) => {
    told.push(...value.uses.map(({ tokenId }) => tokenId));
  });
  const [own] = await listed('/me/tokens');
  await scene.running!.stop();
  expect(told).toEqual([own!.id]);
});
