import { digestOf } from '@warder/tokens';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { IdentityScene, PEPPER } from './identity.scene.js';

const NEXT_PEPPER = 'another-pepper-of-thirty-two-characters';
const SETTINGS = { tokens: { defaultDays: 30, maxDays: 60, defaultGraceSeconds: 600, graceSecondsMax: 3_600 } };

let scene: IdentityScene;
let pushedMs = 0;
beforeAll(async () => {
  scene = await IdentityScene.create();
  scene.nowMs = () => Date.now() + pushedMs;
  await scene.start(SETTINGS);
});
afterAll(() => scene.close());

const as = (bearer = scene.adminToken) => request.agent(scene.running!.url).set('authorization', `Bearer ${bearer}`);
const isIn = async (bearer: string) => (await as(bearer).get('/admin/identity/me')).status === 200;
const stateOf = (text: string, pepper = PEPPER) => scene.tokens.get(digestOf(text, pepper));

async function member(): Promise<{ principalId: string; id: string; token: string }> {
  const { body: made } = await as().post('/admin/identity/principals').send({ name: 'Ana' });
  const asked = { principalId: made.id, name: 'laptop', scopes: { addresses: ['127.0.0.0/8'] } };
  const { body: issued } = await as().post('/admin/identity/tokens?wait=30000').send(asked);
  return { principalId: made.id, id: issued.id, token: issued.token };
}
const rotate = (id: string, body: object = {}, bearer?: string) =>
  as(bearer).post(`/admin/identity/tokens/${id}/rotate?wait=30000`).send(body);

describe('rotating a token', () => {
  it('gives the same token a new secret, shown once, beside which the old one works for its grace', async () => {
    const { id, token } = await member();
    const { body: before } = await as(token).get('/admin/identity/me/tokens');
    const answer = await rotate(id, { graceSeconds: 60 });
    expect([answer.status, answer.headers['cache-control'], answer.body.appliedEverywhere]).toEqual([
      200,
      'no-store',
      true,
    ]);
    const { token: rotated, appliedEverywhere: _, ...view } = answer.body;
    expect(rotated).not.toBe(token);
    expect(view).toEqual({
      ...before.tokens[0],
      prefix: rotated.slice(0, 8),
      version: 2,
      rotatedAtMs: expect.any(Number),
      previousExpiresAtMs: view.rotatedAtMs + 60_000,
    });
    expect([await isIn(token), await isIn(rotated)]).toEqual([true, true]);
    const kept = JSON.stringify([await scene.query('SELECT * FROM identity.token'), scene.records]);
    expect(kept).not.toContain(rotated);
    expect(stateOf(token)).toMatchObject({ id, version: 2, generation: 1, expiresAtMs: view.previousExpiresAtMs });
    expect(stateOf(rotated)).toMatchObject({ id, version: 2, generation: 2, expiresAtMs: view.expiresAtMs });
  });

  it('lets the old secret die at the end of its grace with no further message', async () => {
    const { id, token } = await member();
    const { body } = await rotate(id, { graceSeconds: 60 });
    const told = stateOf(token);
    try {
      pushedMs += 60_001;
      expect([await isIn(token), await isIn(body.token)]).toEqual([false, true]);
      expect(stateOf(token)).toBe(told);
      const { body: own } = await as(body.token).get('/admin/identity/me/tokens');
      expect(own.tokens[0].previousExpiresAtMs).toBeNull();
    } finally {
      pushedMs -= 60_001;
    }
  });

  it('ends the old secret at once where no grace is asked for, and the one before it with a second rotation', async () => {
    const { id, token } = await member();
    const { body: second } = await rotate(id, { graceSeconds: 60 });
    const { body: third } = await rotate(id, { graceSeconds: 60 });
    expect([await isIn(token), await isIn(second.token), await isIn(third.token)]).toEqual([false, true, true]);
    const { body: fourth } = await rotate(id, { graceSeconds: 0 });
    expect(fourth.previousExpiresAtMs).toBeNull();
    const dead = [token, second.token, third.token];
    expect(await Promise.all(dead.map(isIn))).toEqual([false, false, false]);
    expect(dead.map((text) => stateOf(text)?.status)).toEqual(['revoked', 'revoked', 'revoked']);
    expect(await isIn(fourth.token)).toBe(true);
  });

  it('is undone with the token: a revocation ends both secrets, and so does the owner’s leave', async () => {
    for (const path of ['tokens', 'principals'] as const) {
      const { principalId, id, token } = await member();
      const { body } = await rotate(id);
      await as().delete(`/admin/identity/${path}/${path === 'tokens' ? id : principalId}?wait=30000`);
      expect([await isIn(token), await isIn(body.token)]).toEqual([false, false]);
      expect([stateOf(token), stateOf(body.token)]).toMatchObject([
        { version: 3, status: 'revoked' },
        { version: 3, status: 'revoked' },
      ]);
      expect((await rotate(id)).body.error.code).toBe('WDR_TOKEN_INACTIVE');
    }
  });

  it('keeps the expiry unless a new one is asked for, within the administrator’s cap, and no grace beyond it', async () => {
    const { id } = await member();
    const { body: same } = await rotate(id);
    expect(same.expiresAtMs - same.createdAtMs).toBe(30 * 86_400_000);
    const { body: longer } = await rotate(id, { expiresInDays: 60 });
    expect(longer.expiresAtMs - longer.rotatedAtMs).toBe(60 * 86_400_000);
    expect((await rotate(id, { expiresInDays: 61 })).body.error.code).toBe('WDR_TOKEN_LIFETIME');
    expect((await rotate(id, { graceSeconds: 3_601 })).body.error.code).toBe('WDR_TOKEN_GRACE');
    const { body: unknown } = await rotate(id, { name: 'other' });
    expect(unknown.error).toEqual({ code: 'WDR_BODY_INVALID', message: 'name: unknown key' });
    const { body: last } = await rotate(id, { expiresInDays: 1 });
    try {
      pushedMs += 86_400_000 - 60_000;
      const { body: late } = await rotate(id, { graceSeconds: 3_600, expiresInDays: 1 });
      expect(late.previousExpiresAtMs).toBe(last.expiresAtMs);
      pushedMs += 86_400_001;
      expect((await rotate(id)).body.error.code).toBe('WDR_TOKEN_INACTIVE');
    } finally {
      pushedMs = 0;
    }
  });

  it('is for owners their own, and for administrators anybody’s', async () => {
    const [ana, ben] = [await member(), await member()];
    const own = await rotate(ana.id, {}, ana.token);
    expect([own.status, own.body.id]).toEqual([200, ana.id]);
    const mine = await as(ben.token).post(`/admin/identity/me/tokens/${ben.id}/rotate`).send();
    expect([mine.status, mine.body.id]).toEqual([200, ben.id]);
    for (const path of [`tokens/${ana.id}`, `me/tokens/${ana.id}`, 'tokens/pat_nothing']) {
      const foreign = await as(ben.token).post(`/admin/identity/${path}/rotate`).send({});
      expect([foreign.status, foreign.body.error.code]).toEqual([404, 'WDR_TOKEN_NOT_FOUND']);
    }
    await as().patch(`/admin/identity/principals/${ben.principalId}`).send({ status: 'suspended' });
    expect((await rotate(ben.id)).body.error.code).toBe('WDR_PRINCIPAL_INACTIVE');
  });

  it('by a token that is bound to addresses is not of one that is bound to more', async () => {
    const { principalId, id, token } = await member();
    const { body: free } = await as().post('/admin/identity/tokens?wait=30000').send({ principalId, name: 'free' });
    const refused = await rotate(free.id, {}, token);
    expect([refused.status, refused.body.error.code]).toEqual([403, 'WDR_TOKEN_SCOPE']);
    expect((await rotate(id, {}, token)).status).toBe(200);
  });

  it('leaves one record of both secrets, by number and end', async () => {
    const { principalId, id } = await member();
    const { body } = await rotate(id, { graceSeconds: 60 });
    const record = await vi.waitFor(() => {
      const found = scene.records.find(
        (each) => each.method === 'admin/identity/token.rotate' && JSON.stringify(each).includes(id),
      );
      expect(found).toBeDefined();
      return found!;
    });
    expect(record.personal?.arguments).toMatchObject({
      value: {
        id,
        principalId,
        generation: 2,
        expiresAtMs: body.expiresAtMs,
        previous: { generation: 1, expiresAtMs: body.previousExpiresAtMs },
      },
    });
  });

  it('is told again on an empty bus, both secrets, and moves the token to the current pepper', async () => {
    const { id, token } = await member();
    await scene.stop();
    const pepper = { current: 'p2', keys: { p1: PEPPER, p2: NEXT_PEPPER } };
    await scene.start({ ...SETTINGS, pepper });
    const { body } = await rotate(id, { graceSeconds: 600 });
    await scene.stop();
    await scene.start({ ...SETTINGS, pepper });
    await vi.waitFor(() =>
      expect(stateOf(body.token, NEXT_PEPPER)).toMatchObject({ generation: 2, pepperKeyId: 'p2' }),
    );
    expect(stateOf(token)).toMatchObject({ generation: 1, pepperKeyId: 'p1', expiresAtMs: body.previousExpiresAtMs });
    await vi.waitFor(async () => expect([await isIn(token), await isIn(body.token)]).toEqual([true, true]));
  });
});
