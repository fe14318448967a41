import { digestOf } from '@warder/tokens';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { IdentityScene, PEPPER } from './identity.scene.js';

const DAY_MS = 86_400_000;
let scene: IdentityScene;
beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start({ tokens: { defaultDays: 30, maxDays: 60, perPrincipalMax: 3 } });
});
afterAll(() => scene.close());

const as = (bearer = scene.adminToken) => request.agent(scene.running!.url).set('authorization', `Bearer ${bearer}`);
async function member(name: string): Promise<{ id: string; token: string }> {
  const { body: made } = await as().post('/admin/identity/principals').send({ name });
  const { body: issued } = await as().post('/admin/identity/tokens').send({ principalId: made.id, name: 'laptop' });
  await vi.waitFor(async () => expect((await as(issued.token).get('/admin/identity/me')).status).toBe(200));
  return { id: made.id, token: issued.token };
}

describe('/admin/identity/tokens', () => {
  it('shows the token once, keeps its digest alone and publishes it under that', async () => {
    const { body: made } = await as().post('/admin/identity/principals').send({ name: 'Ana' });
    const issued = await as().post('/admin/identity/tokens').send({ principalId: made.id, name: 'laptop' });
    expect(issued.status).toBe(201);
    expect(issued.headers['cache-control']).toBe('no-store');
    expect(issued.body.token).toMatch(/^wdr_[A-Za-z0-9_-]{48}$/);
    expect(issued.body.expiresAtMs - issued.body.createdAtMs).toBe(30 * DAY_MS);
    const digest = digestOf(issued.body.token, PEPPER);
    await vi.waitFor(() =>
      expect(scene.tokens.get(digest)).toMatchObject({
        version: 1,
        status: 'active',
        id: issued.body.id,
        pepperKeyId: 'p1',
      }),
    );
    const listed = await as().get(`/admin/identity/tokens?principalId=${made.id}`);
    const { token: _, ...view } = issued.body;
    expect(listed.body).toEqual({ tokens: [view], next: null });
    const everything = JSON.stringify([await scene.query('SELECT * FROM identity.token'), scene.records, listed.body]);
    expect(everything).not.toContain(issued.body.token);
  });

  it('revokes on the bus as the next version, and then refuses the bearer', async () => {
    const { id, token } = await member('Ben');
    const { body } = await as().get(`/admin/identity/tokens?principalId=${id}`);
    const revoked = await as().delete(`/admin/identity/tokens/${body.tokens[0].id}`);
    expect([revoked.status, revoked.body.status, revoked.body.version]).toEqual([200, 'revoked', 2]);
    await vi.waitFor(() =>
      expect(scene.tokens.get(digestOf(token, PEPPER))).toMatchObject({ version: 2, status: 'revoked' }),
    );
    expect((await as(token).get('/admin/identity/me')).status).toBe(401);
    expect((await as().delete(`/admin/identity/tokens/${body.tokens[0].id}`)).body.version).toBe(2);
    await vi.waitFor(() => expect(scene.records.at(-1)?.method).toBe('admin/identity/token.revoke'));
  });

  it('says whether every node has applied a change where the caller waits, and changes nothing on a wrong wait', async () => {
    const { body: made } = await as().post('/admin/identity/principals?wait=30000').send({ name: 'Dora' });
    expect(made.appliedEverywhere).toBe(true);
    const asked = { principalId: made.id, name: 'laptop' };
    expect((await as().post('/admin/identity/tokens?wait=soon').send(asked)).status).toBe(400);
    const { body: issued } = await as().post('/admin/identity/tokens?wait=30000').send(asked);
    expect(issued.appliedEverywhere).toBe(true);
    expect((await as(issued.token).get('/admin/identity/me')).status).toBe(200);
    const { body: listed } = await as().get(`/admin/identity/tokens?principalId=${made.id}`);
    expect(listed.tokens.map(({ id }: { id: string }) => id)).toEqual([issued.id]);
    const { body: revoked } = await as(issued.token).delete(`/admin/identity/me/tokens/${issued.id}?wait=30000`);
    expect([revoked.status, revoked.appliedEverywhere]).toEqual(['revoked', true]);
  });

  it('holds the bounds of days and of tokens', async () => {
    const { id } = await member('Cleo');
    const issue = (body: object) =>
      as()
        .post('/admin/identity/tokens')
        .send({ principalId: id, name: 'n', ...body });
    const tooLong = await issue({ expiresInDays: 61 });
    expect([tooLong.status, tooLong.body.error.code]).toEqual([400, 'WDR_TOKEN_LIFETIME']);
    expect((await issue({ expiresInDays: 60 })).status).toBe(201);
    expect((await issue({})).status).toBe(201);
    const tooMany = await issue({});
    expect([tooMany.status, tooMany.body.error.code]).toEqual([409, 'WDR_TOKEN_LIMIT']);
  });

  it('refuses an unknown owner, an unknown token and an unknown key', async () => {
    const owner = await as().post('/admin/identity/tokens').send({ principalId: 'usr_nobody', name: 'n' });
    expect([owner.status, owner.body.error.code]).toEqual([404, 'WDR_PRINCIPAL_UNKNOWN']);
    const token = await as().delete('/admin/identity/tokens/pat_nothing');
    expect([token.status, token.body.error.code]).toEqual([404, 'WDR_TOKEN_NOT_FOUND']);
    const key = await as()
      .post('/admin/identity/tokens')
      .send({ name: 'n', scopes: { tools: null, roles: [] } });
    expect(key.body.error).toEqual({ code: 'WDR_BODY_INVALID', message: 'scopes.roles: unknown key' });
  });
});

describe('the scopes of a token', () => {
  const WIDE = { tools: null };

  it('are kept, told and published as they were asked for', async () => {
    const { body: made } = await as().post('/admin/identity/principals').send({ name: 'Sam' });
    const scopes = {
      tools: ['files/*'],
      virtualServers: ['dev'],
      readOnly: true,
      addresses: ['10.0.0.0/8', '203.0.113.7', '2001:db8::/32', '::1'],
    };
    const issue = (asked?: object) =>
      as().post('/admin/identity/tokens').send({ principalId: made.id, name: 'n', scopes: asked });
    const { status, body: issued } = await issue(scopes);
    expect([status, issued.scopes]).toEqual([201, scopes]);
    await vi.waitFor(() => expect(scene.tokens.get(digestOf(issued.token, PEPPER))?.scopes).toEqual(scopes));
    expect((await issue()).body.scopes).toEqual(WIDE);
    expect((await issue({ readOnly: true })).body.scopes).toEqual({ tools: null, readOnly: true });
  });

  it('that could never let anything through are refused, and name what is wrong', async () => {
    const wrong: [object, string][] = [
      [{ tools: ['*'] }, 'scopes.tools.0'],
      [{ virtualServers: ['Dev'] }, 'scopes.virtualServers.0'],
      [{ readOnly: 'yes' }, 'scopes.readOnly'],
      [{ addresses: ['10.0.0.0/33'] }, 'scopes.addresses.0'],
      [{ addresses: ['localhost'] }, 'scopes.addresses.0'],
      [{ addresses: Array.from({ length: 201 }, () => '10.0.0.1') }, 'scopes.addresses'],
    ];
    for (const [scopes, place] of wrong) {
      const { status, body } = await as().post('/admin/identity/tokens').send({ name: 'n', scopes });
      expect([status, body.error.code]).toEqual([400, 'WDR_BODY_INVALID']);
      expect(body.error.message).toContain(`${place}: `);
    }
  });

  it.each([{ tools: [] }, { virtualServers: ['dev'] }, { readOnly: true }])(
    '%j leave no roles at the admin doors',
    async (scopes) => {
      const { body: issued } = await as().post('/admin/identity/tokens?wait=30000').send({ name: 'agent', scopes });
      const refused = await as(issued.token).get('/admin/identity/me');
      expect([refused.status, refused.body.error.code]).toEqual([403, 'WDR_ROLE_MISSING']);
      await as().delete(`/admin/identity/tokens/${issued.id}`);
    },
  );

  it('that are addresses keep the roles there, and let nobody in from elsewhere', async () => {
    const ana = await member('Ana');
    const issue = (addresses: string[]) =>
      as(ana.token).post('/admin/identity/me/tokens?wait=30000').send({ name: 'n', scopes: { addresses } });
    const { body: near } = await issue(['127.0.0.0/8', '::1']);
    expect((await as(near.token).get('/admin/identity/me')).status).toBe(200);
    const { body: far } = await issue(['10.0.0.0/8']);
    const refused = await as(far.token).get('/admin/identity/me');
    expect([refused.status, refused.body.error.code]).toEqual([401, 'WDR_TOKEN_UNKNOWN']);
  });

  it('that are addresses are handed on to what the token issues for its owner, and never widened', async () => {
    const ana = await member('Ana');
    const bound = { tools: null, addresses: ['127.0.0.0/8'] };
    const { body: near } = await as(ana.token)
      .post('/admin/identity/me/tokens?wait=30000')
      .send({ name: 'n', scopes: bound });
    const issue = (addresses?: string[] | null) =>
      as(near.token)
        .post('/admin/identity/me/tokens')
        .send({ name: 'n', ...(addresses === undefined ? {} : { scopes: { addresses } }) });
    for (const wider of [['0.0.0.0/0'], ['127.0.0.1', '10.0.0.1'], ['::/0']]) {
      const refused = await issue(wider);
      expect([refused.status, refused.body.error.code]).toEqual([403, 'WDR_TOKEN_SCOPE']);
    }
    const inherited = await issue(null);
    expect([inherited.status, inherited.body.scopes]).toEqual([201, bound]);
    await as().delete(`/admin/identity/tokens/${inherited.body.id}`);
    expect((await issue(['127.0.0.1'])).body.scopes).toEqual({ tools: null, addresses: ['127.0.0.1'] });
  });
});

describe('/admin/identity/me/tokens', () => {
  it('lets a member manage their own tokens and nobody else’s', async () => {
    const [ana, ben] = [await member('Ana'), await member('Ben')];
    const issued = await as(ana.token)
      .post('/admin/identity/me/tokens')
      .send({ name: 'ci', scopes: { tools: ['files/*'] } });
    expect([issued.status, issued.body.principalId, issued.body.scopes]).toEqual([201, ana.id, { tools: ['files/*'] }]);
    const { body: own } = await as(ana.token).get('/admin/identity/me/tokens');
    expect(own.tokens.map(({ name }: { name: string }) => name)).toEqual(['laptop', 'ci']);
    const foreign = await as(ben.token).delete(`/admin/identity/me/tokens/${issued.body.id}`);
    expect([foreign.status, foreign.body.error.code]).toEqual([404, 'WDR_TOKEN_NOT_FOUND']);
    const forOther = await as(ana.token).post('/admin/identity/me/tokens').send({ name: 'x', principalId: ben.id });
    expect(forOther.body.error).toEqual({ code: 'WDR_BODY_INVALID', message: 'principalId: unknown key' });
    expect((await as(ana.token).post('/admin/identity/tokens').send({ name: 'x' })).status).toBe(403);
    expect((await as(ana.token).delete(`/admin/identity/me/tokens/${issued.body.id}`)).body.status).toBe('revoked');
  });

  it('gives nothing to a token that is cut to tools: it cannot mint itself a wider one', async () => {
    const ana = await member('Ana');
    const { body } = await as(ana.token)
      .post('/admin/identity/me/tokens')
      .send({ name: 'agent', scopes: { tools: [] } });
    await vi.waitFor(async () => expect((await as(body.token).get('/admin/identity/me')).status).toBe(403));
    expect((await as(body.token).post('/admin/identity/me/tokens').send({ name: 'wide' })).status).toBe(403);
  });
});
