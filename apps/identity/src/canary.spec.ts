import { CANARY_PRINCIPAL_ID } from '@warder/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene } from './identity.scene.js';

let scene: IdentityScene;
beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start({ canarySeconds: 1 });
});
afterAll(() => scene?.close());

describe('the canary', () => {
  const signedOutAtMs = () => scene.principals.get(CANARY_PRINCIPAL_ID)?.signedOutAtMs ?? 0;

  it('is signed out again and again, as nodes read it', async () => {
    await expect.poll(signedOutAtMs, { timeout: 10_000 }).toBeGreaterThan(0);
    const first = signedOutAtMs();
    await expect.poll(signedOutAtMs, { timeout: 10_000 }).toBeGreaterThan(first);
  });

  it('is nobody whom an administrator sees, changes or gives a token, and leaves no record', async () => {
    const { body } = await scene.ask('GET', '/principals?limit=500');
    expect(body.principals.map(({ id }) => id)).not.toContain(CANARY_PRINCIPAL_ID);
    const answers = await Promise.all([
      scene.ask('GET', `/principals/${CANARY_PRINCIPAL_ID}`),
      scene.ask('PATCH', `/principals/${CANARY_PRINCIPAL_ID}`, { status: 'suspended' }),
      scene.ask('POST', '/tokens', { principalId: CANARY_PRINCIPAL_ID, name: 'x' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(scene.records.filter(({ method }) => method.includes('canary') || method.includes('sign-out'))).toEqual([]);
  });
});
