import { AdminAccess } from '@warder/admin-access';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { IdentityScene } from './identity.scene.js';

const OFFBOARD = 'admin/identity/principal.offboard';

let scene: IdentityScene;
beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start();
});
afterAll(() => scene.close());

const as = (bearer = scene.adminToken) => request.agent(scene.running!.url).set('authorization', `Bearer ${bearer}`);
async function tokenOf(body: object): Promise<{ id: string; token: string; tokenId: string }> {
  const { body: made } = await as().post('/admin/identity/principals').send(body);
  const { body: issued } = await as().post('/admin/identity/tokens').send({ principalId: made.id, name: 'laptop' });
  await vi.waitFor(async () => expect((await as(issued.token).get('/admin/identity/me')).status).not.toBe(401));
  return { id: made.id, token: issued.token, tokenId: issued.id };
}

describe('/admin/identity/principals', () => {
  it.each(['principals?after=%00', 'principals/%00', 'tokens?principalId=%00'])(
    'answers %s, which no column can hold, with 400',
    async (path) => {
      const { status, body } = await as().get(`/admin/identity/${path}`);
      expect([status, body.error.code]).toEqual([400, 'WDR_BODY_INVALID']);
    },
  );

  it('creates a person, answers and publishes version 1, and records who did it', async () => {
    const body = { name: 'Ana Ortiz', email: 'Ana@Example.com', groups: ['developers', 'developers'] };
    const created = await as().post('/admin/identity/principals').send(body);
    expect(created.status).toBe(201);
    const state = {
      version: 1,
      status: 'active',
      id: expect.stringMatching(/^usr_[0-9a-f]{32}$/),
      kind: 'human',
      name: 'Ana Ortiz',
      email: 'Ana@Example.com',
      groups: ['developers'],
      roles: ['member'],
    };
    expect(created.body).toEqual(state);
    await vi.waitFor(() => expect(scene.principals.get(created.body.id)).toEqual(state));
    expect((await as().get(`/admin/identity/principals/${created.body.id}`)).body).toEqual({ ...state, heldBy: [] });
    await vi.waitFor(() => {
      const record = scene.records.find(({ method }) => method === 'admin/identity/principal.create');
      expect(record).toMatchObject({ kind: 'admin', log: 'admin/identity', decision: 'permit' });
      expect(record?.personal).toMatchObject({
        principal: { name: 'Administrator' },
        agent: { name: 'bootstrap' },
        address: '127.0.0.1',
      });
    });
  });

  it('changes what the patch names, as the next version', async () => {
    const { id } = await tokenOf({ name: 'Ben' });
    const changed = await as()
      .patch(`/admin/identity/principals/${id}`)
      .send({ groups: ['ops'], status: 'suspended' });
    expect(changed.body).toMatchObject({ version: 2, name: 'Ben', groups: ['ops'], status: 'suspended' });
    await vi.waitFor(() => expect(scene.principals.get(id)).toMatchObject({ version: 2, status: 'suspended' }));
    const heldBy = [{ holder: 'administrator', sinceMs: expect.any(Number) }];
    expect((await as().get(`/admin/identity/principals/${id}`)).body).toMatchObject({ status: 'suspended', heldBy });
    const { body: page } = await as().get('/admin/identity/principals?limit=500');
    expect(page.principals).toContainEqual(expect.objectContaining({ id, heldBy }));
    const { body } = await as().get('/admin/identity/groups');
    expect(body.groups).toContainEqual({ name: 'ops', principals: 1 });
    const refused = await as().post('/admin/identity/tokens').send({ principalId: id, name: 'x' });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'WDR_PRINCIPAL_INACTIVE']);
  });

  it('offboards in one action: the principal is removed and each of its tokens revoked, for good', async () => {
    const { id, token, tokenId } = await tokenOf({ name: 'Cleo', email: 'cleo@example.com' });
    const removed = await as().delete(`/admin/identity/principals/${id}`);
    expect(removed.body).toMatchObject({ version: 2, status: 'removed' });
    await vi.waitFor(() => {
      expect(scene.principals.get(id)).toMatchObject({ version: 2, status: 'removed' });
      expect([...scene.tokens.values()].find((each) => each.id === tokenId)).toMatchObject({
        version: 2,
        status: 'revoked',
      });
    });
    await vi.waitFor(async () => expect((await as(token).get('/admin/identity/me')).status).toBe(401));
    expect((await as().delete(`/admin/identity/principals/${id}`)).body.version).toBe(2);
    const back = await as().patch(`/admin/identity/principals/${id}`).send({ status: 'active' });
    expect([back.status, back.body.error.code]).toEqual([409, 'WDR_PRINCIPAL_REMOVED']);
    const again = await as().post('/admin/identity/principals').send({ name: 'Cleo', email: 'cleo@example.com' });
    expect(again.status).toBe(201);
  });

  it('offboards once: tells what it ended in the answer and in one record, and again changes nothing', async () => {
    const { id, token, tokenId } = await tokenOf({ name: 'Finn', email: 'finn@example.com' });
    const { body: second } = await as().post('/admin/identity/tokens').send({ principalId: id, name: 'desktop' });
    const offboarded = await as().post(`/admin/identity/principals/${id}/offboard?wait=30000`);
    expect([offboarded.status, offboarded.body]).toEqual([
      200,
      expect.objectContaining({
        version: 2,
        status: 'removed',
        ended: { tokens: [tokenId, second.id] },
        appliedEverywhere: true,
      }),
    ]);
    expect((await as(token).get('/admin/identity/me')).status).toBe(401);
    const again = await as().post(`/admin/identity/principals/${id}/offboard`);
    expect(again.body).toMatchObject({ version: 2, status: 'removed', ended: {} });
    await as().post('/admin/identity/principals').send({ name: 'the last change' });
    await vi.waitFor(() => {
      const told = scene.records.filter(({ personal }) => JSON.stringify(personal?.arguments).includes(id));
      const last = scene.records.at(-1)?.method;
      expect([last, told.at(-1)?.method]).toEqual(['admin/identity/principal.create', OFFBOARD]);
      expect(told.filter(({ method }) => method === OFFBOARD)).toHaveLength(1);
      expect(told.at(-1)?.personal?.arguments).toMatchObject({
        value: { id, was: 'active', ended: { tokens: [tokenId, second.id] } },
      });
    });
  });

  it('lets nobody but an administrator offboard, and never the last one', async () => {
    const [member, me] = [await tokenOf({ name: 'Gus' }), (await as().get('/admin/identity/me')).body.principal.id];
    const path = (id: string) => `/admin/identity/principals/${id}/offboard`;
    expect((await as(member.token).post(path(member.id))).status).toBe(403);
    const last = await as().post(path(me));
    expect([last.status, last.body.error.code]).toEqual([409, 'WDR_LAST_ADMIN']);
    const nobody = await as().post(path('usr_nobody'));
    expect([nobody.status, nobody.body.error.code]).toEqual([404, 'WDR_PRINCIPAL_UNKNOWN']);
    expect((await as().post(`${path(member.id)}?wait=soon`)).status).toBe(400);
    expect((await as().get(`/admin/identity/principals/${member.id}`)).body.status).toBe('active');
  });

  it('gives an e-mail address to one living principal, in whatever case it is written', async () => {
    await as().post('/admin/identity/principals').send({ name: 'Dan', email: 'dan@example.com' });
    const taken = await as().post('/admin/identity/principals').send({ name: 'Dan 2', email: 'DAN@example.com' });
    expect([taken.status, taken.body.error.code]).toEqual([409, 'WDR_EMAIL_TAKEN']);
  });

  it('keeps the last administrator', async () => {
    const me = (await as().get('/admin/identity/me')).body.principal.id as string;
    for (const change of [{ status: 'suspended' }, { roles: ['auditor'] }]) {
      const refused = await as().patch(`/admin/identity/principals/${me}`).send(change);
      expect([refused.status, refused.body.error.code]).toEqual([409, 'WDR_LAST_ADMIN']);
    }
    expect((await as().delete(`/admin/identity/principals/${me}`)).status).toBe(409);
  });

  it('lists in pages, each principal once', async () => {
    const seen: string[] = [];
    for (let query = '?limit=2'; ;) {
      const { body } = await as().get(`/admin/identity/principals${query}`);
      seen.push(...body.principals.map(({ id }: { id: string }) => id));
      if (body.next === null) break;
      query = `?limit=2&after=${body.next}`;
    }
    expect(seen.length).toBeGreaterThan(3);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('refuses an unknown key, a bad value and an unknown id, and names the key but never the value', async () => {
    const unknownKey = await as().post('/admin/identity/principals').send({ name: 'Eve', admin: true });
    expect([unknownKey.status, unknownKey.body.error]).toEqual([
      400,
      { code: 'WDR_BODY_INVALID', message: 'admin: unknown key' },
    ]);
    const missing = await as().post('/admin/identity/principals').send({});
    expect(missing.body.error.message).toBe('name: missing');
    const badRole = await as()
      .post('/admin/identity/principals')
      .send({ name: 'Eve', roles: ['root-canary'] });
    expect(badRole.status).toBe(400);
    expect(badRole.body.error.message).toContain('roles.0');
    expect(badRole.body.error.message).not.toContain('root-canary');
    expect((await as().get('/admin/identity/principals?limit=0')).status).toBe(400);
    const unknownId = await as().get('/admin/identity/principals/usr_nobody');
    expect([unknownId.status, unknownId.body.error.code]).toEqual([404, 'WDR_PRINCIPAL_UNKNOWN']);
  });

  it('lets an auditor read and a member do neither', async () => {
    const [auditor, member] = [await tokenOf({ name: 'Aud', roles: ['auditor'] }), await tokenOf({ name: 'Mem' })];
    expect((await as(auditor.token).get('/admin/identity/principals')).status).toBe(200);
    expect((await as(auditor.token).post('/admin/identity/principals').send({ name: 'F' })).status).toBe(403);
    expect((await as(auditor.token).delete(`/admin/identity/principals/${member.id}`)).status).toBe(403);
    expect((await as(member.token).get('/admin/identity/principals')).status).toBe(403);
    expect((await request(scene.running!.url).get('/admin/identity/principals')).status).toBe(401);
  });
});

describe('what is refused', () => {
  const flush = () => scene.running!.app.get(AdminAccess).refused.flush();
  const refused = () => scene.records.filter(({ method }) => method === 'admin/identity/request.refuse');

  it('is on record: whom, on which route, with which code, and nothing of the body', async () => {
    await flush();
    await as().post('/admin/identity/principals').send({ name: 'Fay', email: 'fay@example.com' });
    await as().post('/admin/identity/principals').send({ name: 7, canary: 'hidden-7c' });
    await as().get('/admin/identity/principals/usr_none');
    await as().post('/admin/identity/principals').send({ name: 'Fay', email: 'fay@example.com' });
    await as()
      .post('/admin/identity/tokens')
      .send({ name: 'x'.repeat(70_000) });
    await flush();
    await vi.waitFor(() => expect(refused().at(-1)?.refusal?.code).toBe('WDR_BODY_TOO_LARGE'));
    const last = refused().slice(-4);
    const principals = '/admin/identity/principals';
    expect(last.map(({ refusal, personal }) => [refusal?.code, personal?.arguments])).toMatchObject([
      ['WDR_BODY_INVALID', { value: { method: 'POST', route: principals } }],
      ['WDR_PRINCIPAL_UNKNOWN', { value: { method: 'GET', route: `${principals}/:id` } }],
      ['WDR_EMAIL_TAKEN', { value: { method: 'POST', route: principals } }],
      ['WDR_BODY_TOO_LARGE', { value: { method: 'POST', route: '/admin/identity/tokens' } }],
    ]);
    for (const { kind, decision, outcome, personal } of last) {
      expect([kind, decision, outcome, personal?.principal?.name]).toEqual([
        'admin',
        'permit',
        'failure',
        'Administrator',
      ]);
    }
    expect(JSON.stringify(last)).not.toMatch(/hidden-7c|xxx/);
  });

  it('leaves a bounded number of records however much there is of it', async () => {
    await flush();
    const before = refused().length;
    for (let n = 0; n < 100; n += 1)
      await as()
        .post('/admin/identity/tokens')
        .send({ [`key${n}`]: n });
    await flush();
    const counts = () =>
      refused()
        .slice(before)
        .map(({ count }) => count);
    await vi.waitFor(() => expect(counts().reduce((sum, count) => sum + count, 0)).toBe(100));
    // Twenty of one caller and one for the rest of its code, of each of the two windows that it may fall into.
    expect(counts().length).toBeLessThanOrEqual(42);
  });
});
