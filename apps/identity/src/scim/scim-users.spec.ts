import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ENTRA, ScimScene } from './scim.scene.js';

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

let scene: ScimScene;
beforeAll(async () => {
  scene = await ScimScene.start();
});
afterAll(() => scene.identity.close());

const user = (id: string) => `Users/${id}`;
const get = (path: string) => scene.as().get(`/scim/v2/${path}`);

describe('creating a user', () => {
  it('makes a principal with its name and address, answers the resource, and records who did it', async () => {
    const id = await scene.user('ana');
    expect(await scene.principal(id)).toEqual({
      version: 1,
      status: 'active',
      id,
      kind: 'human',
      name: 'ana Ortiz',
      email: 'ana@example.com',
      groups: [],
      roles: ['member'],
      heldBy: [],
    });
    await vi.waitFor(() => expect(scene.identity.principals.get(id)).toMatchObject({ status: 'active' }));
    const { body, headers } = await get(user(id));
    expect(headers['content-type']).toBe('application/scim+json; charset=utf-8');
    expect(body).toMatchObject({
      schemas: [CORE],
      id,
      userName: 'ana@example.com',
      externalId: '00u-ana',
      active: true,
      groups: [],
      meta: {
        resourceType: 'User',
        version: headers['etag'],
        location: expect.stringMatching(`/scim/v2/Users/${id}$`),
      },
    });
    await vi.waitFor(() => {
      const [record] = scene.records('scim-user.create');
      expect(record).toMatchObject({ principal: null, agent: null, verified: { client: 'okta', by: 'scim' } });
      expect(record?.personal).toMatchObject({
        address: '127.0.0.1',
        arguments: { value: { id, userName: 'ana@example.com', active: true, status: 'active' } },
      });
    });
  });

  it('is refused where the name is taken, in whatever case, and that resurrects nobody', async () => {
    const id = await scene.user('bea');
    await scene.patch(user(id), [{ op: 'replace', value: { active: false } }]);
    const again = await scene.as().post('/scim/v2/Users').send({ userName: 'BEA@example.com', active: true });
    expect([again.status, again.body]).toEqual([
      409,
      {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: '409',
        scimType: 'uniqueness',
        detail: 'another user has this userName (WDR_SCIM_NAME_TAKEN)',
      },
    ]);
    expect(await scene.status(id)).toBe('suspended');
  });

  it('links a living principal by the e-mail address, and leaves its groups, roles and tokens alone', async () => {
    const asked = { name: 'Cy', email: 'Cy@example.com', groups: ['ops'], roles: ['auditor'] };
    const { body: made } = await scene.identity.ask('POST', '/principals', asked);
    expect(await scene.user('cy')).toBe(made.id);
    expect(await scene.principal(made.id)).toMatchObject({ name: 'cy Ortiz', groups: ['ops'], roles: ['auditor'] });
  });

  it('never takes over a service, nor an address that another user of SCIM has', async () => {
    const { body: robot } = await scene.identity.ask('POST', '/principals', {
      name: 'Robot',
      kind: 'service',
      email: 'robot@example.com',
    });
    const taken = await scene.as().post('/scim/v2/Users').send({ userName: 'robot@example.com' });
    expect([taken.status, taken.body.scimType]).toEqual([409, 'uniqueness']);
    expect(taken.body.detail).toContain('WDR_EMAIL_TAKEN');
    expect((await scene.principal(robot.id)).name).toBe('Robot');
  });

  it.each([
    [{}, 'userName'],
    [[], 'one resource'],
    [{ userName: 'x'.repeat(401) }, 'userName'],
    [{ userName: 7 }, 'userName'],
    [{ userName: 'a\u0000b' }, 'cannot hold'],
    [{ userName: 'deep', custom: JSON.parse('['.repeat(12) + ']'.repeat(12)) as unknown }, 'nested'],
  ])('refuses %j', async (body, why) => {
    const refused = await scene.as().post('/scim/v2/Users').send(body);
    expect([refused.status, refused.body.status]).toEqual([400, '400']);
    expect(refused.body.detail).toContain(why);
    expect(refused.body.detail).toContain('WDR_BODY_INVALID');
  });

  it('keeps what it does not know, forgets passwords, and takes no hold of what every object has', async () => {
    const more = { password: 'canary-password', favouriteColour: 'blue', toString: 'x', constructor: { prototype: 1 } };
    const { status } = await scene.as().post('/scim/v2/Users').send({ userName: 'odd', toString: 'x' });
    expect(status).toBe(201);
    const raw = JSON.stringify({ userName: 'odd2', ...more });
    const { body } = await scene.as().post('/scim/v2/Users').send(raw.replace(',"constructor":{"prototype":1}', ''));
    expect(body).toMatchObject({ favouriteColour: 'blue' });
    expect(Object.hasOwn(body, 'toString')).toBe(false);
    const everything = JSON.stringify([await scene.identity.query('SELECT * FROM identity.scim_user'), body]);
    expect(everything).not.toContain('canary-password');
    expect((await scene.as().post('/scim/v2/Users').send('{"userName":"p","__proto__":{"a":1}}')).status).toBe(400);
  });
});

describe('what Okta sends', () => {
  it('deactivates by a PUT of the whole user with active false, and activates by one with true', async () => {
    const id = await scene.user('dora');
    const { body: whole } = await get(user(id));
    const put = (active: unknown) =>
      scene
        .as()
        .put(`/scim/v2/Users/${id}`)
        .send({ ...whole, active });
    expect((await put(false)).body).toMatchObject({ id, active: false });
    expect(await scene.status(id)).toBe('suspended');
    await vi.waitFor(() =>
      expect(scene.identity.principals.get(id)).toMatchObject({ version: 2, status: 'suspended' }),
    );
    const { body: held } = await get(user(id));
    expect(
      (
        await scene
          .as()
          .put(`/scim/v2/Users/${id}`)
          .send({ ...held, active: true })
      ).body.active,
    ).toBe(true);
    expect(await scene.status(id)).toBe('active');
  });

  it('deactivates by a PATCH without a path', async () => {
    const id = await scene.user('eli');
    const patched = await scene.patch(user(id), [{ op: 'replace', value: { active: false } }]);
    expect([patched.status, patched.body.active]).toEqual([200, false]);
    expect(await scene.status(id)).toBe('suspended');
  });

  it('finds a user by its name before it makes one', async () => {
    const none = await get(
      `Users?filter=${encodeURIComponent('userName eq "nobody@example.com"')}&startIndex=1&count=100`,
    );
    expect(none.body).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 0,
      startIndex: 1,
      itemsPerPage: 0,
      Resources: [],
    });
  });

  it('updates a profile by a PUT', async () => {
    const id = await scene.user('finn');
    const { body: whole } = await get(user(id));
    const emails = [{ value: 'finn.new@example.com', primary: true }];
    const put = await scene
      .as()
      .put(`/scim/v2/Users/${id}`)
      .send({ ...whole, displayName: 'Finn New', emails });
    expect(put.status).toBe(200);
    expect(await scene.principal(id)).toMatchObject({ version: 2, name: 'Finn New', email: 'finn.new@example.com' });
  });
});

describe('what Entra sends', () => {
  const asEntra = (id: string, ...operations: object[]) => scene.patch(user(id), operations, ENTRA);

  it.each([
    ['a capital op and text', { op: 'Replace', path: 'active', value: 'False' }],
    ['its compliant form', { op: 'replace', path: 'active', value: false }],
    ['a list of one', { op: 'Replace', path: 'active', value: [{ $ref: null, value: 'False' }] }],
    ['a value without a path', { op: 'Replace', value: { active: 'False' } }],
    ['the whole name', { op: 'Replace', path: `${CORE}:active`, value: 'False' }],
  ])('deactivates by %s, and activates by "True"', async (form, operation) => {
    const id = await scene.user(`gus-${form.replaceAll(' ', '-')}`);
    expect((await asEntra(id, operation)).body.active).toBe(false);
    expect(await scene.status(id)).toBe('suspended');
    expect((await asEntra(id, { op: 'Replace', path: 'active', value: 'True' })).body.active).toBe(true);
    expect(await scene.status(id)).toBe('active');
  });

  it('sets an address that was not there, a manager by id alone, and keys that are paths', async () => {
    const id = await scene.user('hal', { emails: undefined });
    const patched = await asEntra(
      id,
      { op: 'Add', path: 'emails[type eq "work"].value', value: 'hal.work@example.com' },
      { op: 'Add', path: `${ENTERPRISE}:manager`, value: 'boss-id' },
      { op: 'Add', value: { 'name.givenName': 'Hal', [`${ENTERPRISE}:department`]: 'Sea' } },
      { op: 'Replace', path: 'emails[type eq "work"].primary', value: 'True' },
    );
    expect(patched.body).toMatchObject({
      schemas: [CORE, ENTERPRISE],
      emails: [{ type: 'work', value: 'hal.work@example.com' }],
      name: { givenName: 'Hal', familyName: 'Ortiz' },
      [ENTERPRISE]: { manager: { value: 'boss-id' }, department: 'Sea' },
    });
    expect((await scene.principal(id)).email).toBe('hal.work@example.com');
    const gone = await asEntra(id, { op: 'Replace', path: `${ENTERPRISE}:manager`, value: '' });
    expect(gone.body[ENTERPRISE]).toEqual({ department: 'Sea' });
    expect(
      (await asEntra(id, { op: 'Remove', path: 'emails', value: [{ value: 'hal.work@example.com' }] })).status,
    ).toBe(200);
    expect((await get(user(id))).body.emails).toBeUndefined();
  });

  it('sets the primary role again and again, choosing it by text', async () => {
    const id = await scene.user('ike');
    const path = 'roles[primary eq "True"].value';
    for (const value of ['Cook', 'Captain']) expect((await asEntra(id, { op: 'Add', path, value })).status).toBe(200);
    expect((await asEntra(id, { op: 'Replace', path, value: 'Mate' })).body.roles).toEqual([
      { primary: true, value: 'Mate' },
    ]);
    expect((await scene.principal(id)).roles).toEqual(['member']);
  });

  it('names itself in the record of what it changed, and leaves none of what it did not', async () => {
    const id = await scene.user('ida');
    const recorded = () =>
      scene.records('scim-user.change').filter(({ personal }) => JSON.stringify(personal).includes(id));
    await asEntra(id, { op: 'Replace', path: 'title', value: 'Captain' });
    const { body } = await asEntra(id, { op: 'Replace', path: 'title', value: 'Captain' });
    await asEntra(id, { op: 'Replace', path: 'active', value: 'False' });
    await vi.waitFor(() => expect(recorded()).toHaveLength(2));
    expect(recorded().map(({ verified, personal }) => [verified, personal?.arguments])).toMatchObject([
      [{ client: 'entra', by: 'scim' }, { value: { changed: ['title'], status: 'active' } }],
      [{ client: 'entra', by: 'scim' }, { value: { changed: [], active: false, status: 'suspended' } }],
    ]);
    expect(body.meta.version).toBe('W/"2.1"');
  });
});

describe('active', () => {
  it.each([
    'yes',
    1,
    0,
    '',
    'no',
    {},
    { value: true },
    [],
    [true, true],
    [{ value: 'False' }],
    null,
    'TRUE ',
    [[true]],
  ])('that is %j and not literally true deactivates, by PUT and by PATCH', async (active) => {
    const id = await scene.user(`jo-${JSON.stringify(active).replace(/\W/g, (each) => `_${each.charCodeAt(0)}`)}`);
    const { body: whole } = await get(user(id));
    expect(
      (
        await scene
          .as()
          .put(`/scim/v2/Users/${id}`)
          .send({ ...whole, active })
      ).body.active,
    ).toBe(false);
    expect((await scene.patch(user(id), [{ op: 'replace', path: 'active', value: true }])).body.active).toBe(true);
    expect((await scene.patch(user(id), [{ op: 'replace', path: 'active', value: active }])).body.active).toBe(false);
    expect(await scene.status(id)).toBe('suspended');
  });

  it('deactivates where a PUT leaves it out, a PATCH removes it, or two spellings disagree', async () => {
    const id = await scene.user('kim');
    const activate = () => scene.patch(user(id), [{ op: 'add', path: 'Active', value: true }]);
    const { body: whole } = await get(user(id));
    const { active: _, ...without } = whole;
    const put = (body: object) => scene.as().put(`/scim/v2/Users/${id}`).send(body);
    expect((await put(without)).body.active).toBe(false);
    expect((await activate()).body.active).toBe(true);
    expect((await put({ ...whole, Active: 'False' })).body.active).toBe(false);
    expect((await activate()).body.active).toBe(true);
    expect((await scene.patch(user(id), [{ op: 'remove', path: 'active' }])).body.active).toBe(false);
  });

  it('is not touched by a change of anything else: a profile that is sent again resurrects nobody', async () => {
    const id = await scene.user('lea', { active: false });
    expect(await scene.status(id)).toBe('suspended');
    const patched = await scene.patch(user(id), [{ op: 'replace', path: 'title', value: 'Cook' }]);
    expect([patched.body.title, patched.body.active]).toEqual(['Cook', false]);
    expect(await scene.status(id)).toBe('suspended');
  });

  it('is not taken from a copy of long ago: by If-Match at any change, by its own version where it lets in', async () => {
    const id = await scene.user('max');
    const { body: old } = await get(user(id));
    await scene.patch(user(id), [{ op: 'replace', path: 'active', value: false }]);
    const put = (body: object, ifMatch?: string) => {
      const asked = scene.as().put(`/scim/v2/Users/${id}`);
      return (ifMatch === undefined ? asked : asked.set('if-match', ifMatch)).send(body);
    };
    for (const stale of [await put(old), await put({ ...old, meta: {} }, old.meta.version)]) {
      expect([stale.status, stale.body.detail]).toEqual([412, expect.stringContaining('WDR_VERSION_MISMATCH')]);
    }
    expect(await scene.status(id)).toBe('suspended');
    const { body: current } = await get(user(id));
    expect((await put({ ...current, active: true }, current.meta.version)).body.active).toBe(true);
  });
});

describe('an administrator and SCIM', () => {
  const activate = (id: string) => scene.patch(user(id), [{ op: 'replace', path: 'active', value: true }]);
  const suspend = (id: string) => scene.patch(user(id), [{ op: 'replace', path: 'active', value: false }]);
  const patchPrincipal = (id: string, body: object) => scene.identity.ask('PATCH', `/principals/${id}`, body);

  it('keep somebody out each for themselves: SCIM lets in nobody whom the administrator suspended', async () => {
    const id = await scene.user('nora');
    await patchPrincipal(id, { status: 'suspended' });
    expect((await activate(id)).body.active).toBe(false);
    await suspend(id);
    await activate(id);
    expect(await scene.status(id)).toBe('suspended');
    await patchPrincipal(id, { status: 'active' });
    expect((await get(user(id))).body.active).toBe(true);
  });

  it('agree that the administrator outranks SCIM, either way', async () => {
    const id = await scene.user('olaf');
    await suspend(id);
    await patchPrincipal(id, { status: 'suspended' });
    await activate(id);
    expect(await scene.status(id)).toBe('suspended');
    await suspend(id);
    await patchPrincipal(id, { status: 'active' });
    expect(await scene.status(id)).toBe('active');
    await scene.patch(user(id), [{ op: 'replace', path: 'title', value: 'Mate' }]);
    expect(await scene.status(id)).toBe('active');
    await suspend(id);
    expect(await scene.status(id)).toBe('suspended');
  });

  it('offboard for good: no PUT, PATCH, DELETE or new user of SCIM undoes it', async () => {
    const id = await scene.user('pia');
    const { body: whole } = await get(user(id));
    await scene.identity.ask('POST', `/principals/${id}/offboard`);
    const put = await scene
      .as()
      .put(`/scim/v2/Users/${id}`)
      .send({ ...whole, meta: {}, active: true });
    expect([put.status, put.body.active, (await activate(id)).body.active]).toEqual([200, false, false]);
    expect(await scene.status(id)).toBe('removed');
    expect((await scene.as().delete(`/scim/v2/Users/${id}`)).status).toBe(204);
    for (const body of [
      { userName: 'pia@example.com', active: true },
      { userName: 'pia', emails: [{ value: 'PIA@example.com' }] },
      { userName: 'p', externalId: '00u-pia' },
    ]) {
      const again = await scene.as().post('/scim/v2/Users').send(body);
      expect([again.status, again.body.scimType]).toEqual([409, 'uniqueness']);
      expect(again.body.detail).toContain('WDR_PRINCIPAL_REMOVED');
    }
    const other = await scene.user('quin');
    const renamed = await scene.patch(user(other), [{ op: 'replace', path: 'userName', value: 'pia@example.com' }]);
    expect(renamed.status).toBe(409);
    const { body: back } = await scene.identity.ask('POST', '/principals', { name: 'Pia', email: 'pia@example.com' });
    expect(await scene.user('pia')).toBe(back.id);
  });

  it('remember the administrator’s suspension over a DELETE of SCIM and a new user', async () => {
    const id = await scene.user('rex');
    await patchPrincipal(id, { status: 'suspended' });
    expect((await scene.as().delete(`/scim/v2/Users/${id}`)).status).toBe(204);
    const again = await scene.as().post('/scim/v2/Users').send({ userName: 'rex@example.com', active: true });
    expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining('WDR_PRINCIPAL_REMOVED')]);
  });

  it('suspends the last administrator over SCIM, and never removes them', async () => {
    const { body: me } = await scene.identity.ask('GET', '/me');
    await patchPrincipal(me.principal.id, { email: 'root@example.com' });
    expect(await scene.user('root')).toBe(me.principal.id);
    expect((await scene.as().delete(`/scim/v2/Users/${me.principal.id}`)).status).toBe(204);
    await vi.waitFor(() =>
      expect(scene.identity.principals.get(me.principal.id)).toMatchObject({
        status: 'suspended',
        roles: ['admin', 'auditor'],
      }),
    );
    expect(await scene.user('root')).toBe(me.principal.id);
    await vi.waitFor(async () => expect((await scene.identity.ask('GET', '/me')).status).toBe(200));
  });
});

describe('deleting a user', () => {
  it('removes the principal, revokes its tokens, and lets the directory make the person anew', async () => {
    const id = await scene.user('rita');
    const { body: token } = await scene.identity.ask('POST', '/tokens', { principalId: id, name: 'laptop' });
    expect((await scene.as().delete(`/scim/v2/Users/${id}`)).status).toBe(204);
    expect(await scene.status(id)).toBe('removed');
    await vi.waitFor(() => {
      expect([...scene.identity.tokens.values()].find((each) => each.id === token.id)?.status).toBe('revoked');
      expect(scene.records('scim-user.delete').at(-1)?.personal?.arguments).toMatchObject({
        value: { id, status: 'removed', ended: { tokens: [token.id] } },
      });
    });
    const again = await scene.as().delete(`/scim/v2/Users/${id}`);
    expect([again.status, again.body.detail]).toEqual([404, 'no user has this id (WDR_SCIM_RESOURCE_UNKNOWN)']);
    expect(await scene.user('rita')).not.toBe(id);
  });
});

describe('a PATCH', () => {
  it.each([
    ['noTarget', { op: 'remove' }],
    ['noTarget', { op: 'replace', path: 'ims[type eq "x"]', value: { a: 1 } }],
    ['invalidSyntax', { op: 'move', path: 'title', value: 1 }],
    ['invalidValue', { op: 'add', path: 'title' }],
    ['invalidValue', { op: 'add', value: 'x' }],
    ['invalidPath', { op: 'add', path: 'userName.x', value: 1 }],
    ['invalidPath', { op: 'add', path: '__proto__.polluted', value: 1 }],
    ['invalidPath', { op: 'add', path: 'constructor.prototype.polluted', value: 1 }],
    ['invalidPath', { op: 'add', value: { 'name.__proto__.polluted': 1 } }],
    ['invalidPath', { op: 'add', path: `emails[${'('.repeat(11)}value pr${')'.repeat(11)}]`, value: 1 }],
    ['invalidPath', { op: 'add', path: 'x'.repeat(1_001), value: 1 }],
    ['mutability', { op: 'replace', path: 'id', value: 'usr_other' }],
    ['mutability', { op: 'replace', path: 'groups', value: [] }],
  ])('is refused whole, with %s, where it holds %j', async (scimType, operation) => {
    const id = await scene.user(`sam-${Math.random()}`);
    const refused = await scene.patch(user(id), [{ op: 'replace', path: 'title', value: 'Other' }, operation]);
    expect([refused.status, refused.body.scimType]).toEqual([400, scimType]);
    expect(refused.body.detail).toMatch(/\((?:WDR_SCIM_PATCH_INVALID|WDR_SCIM_FILTER_INVALID|WDR_BODY_INVALID)\)$/);
    expect((await get(user(id))).body.title).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('is refused past its bounds: operations, and what they add', async () => {
    const id = await scene.user('tim');
    const many = Array.from({ length: 1_001 }, () => ({ op: 'add', path: 'title', value: 'x' }));
    expect((await scene.patch(user(id), many)).body.scimType).toBe('tooMany');
    const long = await scene.patch(user(id), [{ op: 'add', path: 'title', value: 'x'.repeat(70_000) }]);
    expect([long.status, long.body.detail]).toEqual([413, expect.stringContaining('WDR_BODY_TOO_LARGE')]);
    expect((await scene.patch(user(id), [{ op: 'add', path: 'a', value: 'x'.repeat(140_000) }])).status).toBe(413);
    expect((await scene.patch(user(id), [])).status).toBe(400);
  });
});
