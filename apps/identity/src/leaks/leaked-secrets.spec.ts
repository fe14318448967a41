import { randomBytes } from 'node:crypto';
import { issueToken, SECRET_PREFIX } from '@warder/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentsScene } from '../agents/agents.scene.js';
import { PEPPER } from '../identity.scene.js';

const SECRET = 'a-secret-of-a-reporter-of-32-characters';
const leakedTokens = { reporters: { 'our-scanner': { secret: SECRET } } };

let scene: AgentsScene;
beforeAll(async () => {
  scene = await AgentsScene.start({}, { leakedTokens });
});
afterAll(() => scene?.close());

async function report(texts: readonly string[]): Promise<unknown> {
  const answer = await fetch(`${scene.origin}/admin/identity/leaked-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify(texts),
  });
  return answer.json();
}

const ended = () =>
  scene.identity.records.filter(({ method }) => method === 'admin/identity/service-account.credential.end');

describe('a report of leaked secrets of service accounts', () => {
  it('ends each that exists and what was had by it, once, on record, and leaves the account its others', async () => {
    const account = await scene.serviceAccount(await scene.person('ana'));
    const [leaked, kept] = [await scene.secret(account), await scene.secret(account)];
    const { body: before } = await scene.clientCredentials(account, leaked.secret);
    expect(scene.atIngress(before.access_token)).toBeTypeOf('object');
    const never = issueToken(randomBytes, SECRET_PREFIX);
    const mistyped = `${leaked.secret.slice(0, -6)}AAAAAA`;
    expect(await report([leaked.secret, never, mistyped])).toEqual({ received: 3, wellFormed: 2 });
    expect((await scene.clientCredentials(account, leaked.secret)).status).toBe(401);
    await expect.poll(() => scene.atIngress(before.access_token)).toBe('grant-revoked');
    expect((await scene.clientCredentials(account, kept.secret)).status).toBe(200);
    await expect.poll(ended).toHaveLength(1);
    expect(ended()[0]).toMatchObject({
      verified: { client: 'our-scanner', by: 'leak-report' },
      principal: null,
      personal: { arguments: { value: { id: account, credentialId: leaked.id, reason: 'leaked' } } },
    });
    expect(await report([leaked.secret, never])).toEqual({ received: 2, wellFormed: 2 });
    expect(JSON.stringify(scene.identity.records)).not.toContain(leaked.secret);
  });

  it('ends it where it was kept under a pepper of before', async () => {
    const account = await scene.serviceAccount(await scene.person('ben'));
    const { id, secret } = await scene.secret(account);
    const before = ended().length;
    await scene.identity.stop();
    await scene.identity.start({ leakedTokens, pepper: { current: 'p2', keys: { p1: PEPPER, p2: PEPPER.repeat(2) } } });
    await report([secret]);
    await expect.poll(() => ended().length).toBe(before + 1);
    const { body } = await scene.identity.ask('GET', `/service-accounts/${account}`);
    expect(body.credentials).toMatchObject([{ id, status: 'ended' }]);
  });
});
