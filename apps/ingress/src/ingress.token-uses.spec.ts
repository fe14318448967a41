import { tokenUsedTopic, type TokenUse } from '@warder/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { IngressScene } from './ingress.scene.js';
import { WireClient } from './wire-client.scene.js';

let scene: IngressScene;
const told: TokenUse[] = [];
beforeAll(async () => {
  scene = await new IngressScene().start({ virtualServers: { dev: { tools: [] } } });
  await scene.bus.watch(tokenUsedTopic, 'beginning', ({ value }) => void told.push(...value.uses));
});
afterAll(() => scene.stop());

it('tells one use of each token that was used here, and of no other, before the process ends', async () => {
  const [ana, bo, idle] = [await scene.token('ana'), await scene.token('bo'), await scene.token('bo')];
  for (let call = 0; call < 20; call += 1) {
    for (const token of [ana, bo]) await new WireClient(scene, 'modern', token).ask('server/discover');
  }
  await scene.revoke(idle);
  expect((await new WireClient(scene, 'modern', idle).ask('server/discover')).status).toBe(401);
  const fromMs = scene.clock.wallMs() - 60_000;
  await scene.host.stop();
  expect(new Set(told.map(({ tokenId }) => tokenId)).size).toBe(2);
  expect(told).toHaveLength(2);
  expect(told.every(({ atMs }) => atMs > fromMs && atMs <= scene.clock.wallMs())).toBe(true);
  await scene.startNode();
});
