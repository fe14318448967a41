import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ENTRA, ScimScene } from './scim.scene.js';

const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';

let scene: ScimScene;
let ids: string[];
beforeAll(async () => {
  scene = await ScimScene.start({
    scim: { membersMax: 3, groupsMax: 8, scannedMax: 7 },
    groupRules: [
      { from: 'Team *', to: '*' },
      { from: 'Gateway Auditors', to: 'auditors', role: 'auditor' },
    ],
  });
  ids = [await scene.user('ana'), await scene.user('ben'), await scene.user('cleo')];
});
afterAll(() => scene.identity.close());

const member = (...members: (string | undefined)[]) => members.map((value) => ({ value }));
const group = async (displayName: string, members: object[] = []) => {
  const made = await scene
    .as()
    .post('/scim/v2/Groups')
    .send({ schemas: [GROUP], displayName, members });
  expect(made.status).toBe(201);
  return made.body.id as string;
};
const groupsOf = async (at: number) => (await scene.principal(ids[at]!)).groups;
const membersOf = async (id: string) => {
  const { body } = await scene.as().get(`/scim/v2/Groups/${id}`);
  return (body.members as { value: string }[]).map(({ value }) => value);
};

describe('a group', () => {
  it('means to its members what the rules say, for as long as they are in it', async () => {
    const id = await group('Team Data Lake', member(ids[0], ids[1]));
    expect([await groupsOf(0), await groupsOf(1), await groupsOf(2)]).toEqual([['data-lake'], ['data-lake'], []]);
    await vi.waitFor(() => expect(scene.identity.principals.get(ids[0]!)).toMatchObject({ groups: ['data-lake'] }));
    const { body: user } = await scene.as().get(`/scim/v2/Users/${ids[0]}`);
    expect(user.groups).toMatchObject([{ value: id, display: 'Team Data Lake' }]);
    await scene.patch(`Groups/${id}`, [{ op: 'replace', value: { id, displayName: 'Team Ponds' } }]);
    expect([await groupsOf(0), await groupsOf(1)]).toEqual([['ponds'], ['ponds']]);
    expect((await scene.as().delete(`/scim/v2/Groups/${id}`)).status).toBe(204);
    expect([await groupsOf(0), await groupsOf(1)]).toEqual([[], []]);
    expect((await scene.as().get(`/scim/v2/Groups/${id}`)).status).toBe(404);
  });

  it('means nothing where no rule maps its name, and gives a role only where a rule says so', async () => {
    const nothing = await group('admin', member(ids[2]));
    const auditors = await group('Gateway Auditors', member(ids[2]));
    expect(await scene.principal(ids[2]!)).toMatchObject({ groups: ['auditors'], roles: ['member', 'auditor'] });
    await scene.patch(`Groups/${auditors}`, [{ op: 'remove', path: 'members' }]);
    expect(await scene.principal(ids[2]!)).toMatchObject({ groups: [], roles: ['member'] });
    for (const id of [nothing, auditors]) await scene.as().delete(`/scim/v2/Groups/${id}`);
  });

  it('takes back what it gave, and never what an administrator did', async () => {
    const change = (groups: string[]) => scene.identity.ask('PATCH', `/principals/${ids[0]}`, { groups });
    await change(['by-hand', 'both']);
    const [one, other] = [await group('Team Both', member(ids[0])), await group('Team One', member(ids[0]))];
    expect(await groupsOf(0)).toEqual(['by-hand', 'both', 'one']);
    for (const id of [one, other]) await scene.as().delete(`/scim/v2/Groups/${id}`);
    expect(await groupsOf(0)).toEqual(['by-hand', 'both']);
    await change([]);
  });

  it('is changed as Okta does: a PUT of the whole, and PATCH with a filter', async () => {
    const id = await group('Team Okta', member(ids[0]));
    const put = { schemas: [GROUP], id, displayName: 'Team Okta', members: member(ids[1], ids[2]) };
    expect((await scene.as().put(`/scim/v2/Groups/${id}`).send(put)).status).toBe(200);
    expect(await membersOf(id)).toEqual([ids[1], ids[2]]);
    await scene.patch(`Groups/${id}`, [{ op: 'remove', path: `members[value eq "${ids[1]}"]` }]);
    expect(await membersOf(id)).toEqual([ids[2]]);
    await scene.patch(`Groups/${id}`, [{ op: 'replace', path: 'members', value: member(ids[0]) }]);
    expect([await groupsOf(0), await groupsOf(1), await groupsOf(2)]).toEqual([['okta'], [], []]);
    await scene.as().delete(`/scim/v2/Groups/${id}`);
  });

  it('is changed as Entra does: Add and Remove with a list of values', async () => {
    const id = await group('Team Entra');
    const value = ids.map((each) => ({ $ref: null, value: each }));
    expect((await scene.patch(`Groups/${id}`, [{ op: 'Add', path: 'members', value }], ENTRA)).status).toBe(200);
    expect(await membersOf(id)).toEqual(ids);
    const remove = [{ op: 'Remove', path: 'members', value: [value[0], value[2]] }];
    expect((await scene.patch(`Groups/${id}`, remove, ENTRA)).status).toBe(200);
    expect(await membersOf(id)).toEqual([ids[1]]);
    const asked = `filter=${encodeURIComponent('displayName eq "team entra"')}&excludedAttributes=members`;
    const { body } = await scene.as(ENTRA).get(`/scim/v2/Groups?${asked}`);
    expect(body.Resources).toMatchObject([{ id, displayName: 'Team Entra' }]);
    expect(body.Resources[0].members).toBeUndefined();
    const both = encodeURIComponent(`id eq "${id}" and members[value eq "${ids[1]}"]`);
    expect((await scene.as(ENTRA).get(`/scim/v2/Groups?filter=${both}`)).body.totalResults).toBe(1);
    await scene.as().delete(`/scim/v2/Groups/${id}`);
  });

  it('takes others out though it names somebody who is gone', async () => {
    const id = await group('Team Gone', member(ids[0], 'usr_nobody'));
    expect(await membersOf(id)).toEqual([ids[0]]);
    await scene
      .as()
      .put(`/scim/v2/Groups/${id}`)
      .send({ displayName: 'Team Gone', members: member('usr_nobody') });
    expect([await membersOf(id), await groupsOf(0)]).toEqual([[], []]);
    await scene.as().delete(`/scim/v2/Groups/${id}`);
  });

  it('tells its record who came and who went, and repeats itself without one', async () => {
    const id = await group('Team Told', member(ids[0]));
    const add = () => scene.patch(`Groups/${id}`, [{ op: 'add', path: 'members', value: member(ids[1]) }]);
    const [first, second] = [await add(), await add()];
    expect(second.headers['etag']).toBe(first.headers['etag']);
    await vi.waitFor(() =>
      expect(scene.records('scim-group.change').at(-1)?.personal?.arguments).toMatchObject({
        value: { id, displayName: 'Team Told', added: [ids[1]], removed: [], principalsChanged: 1 },
      }),
    );
    const stale = scene.as().delete(`/scim/v2/Groups/${id}`).set('if-match', 'W/"1"');
    expect((await stale).status).toBe(412);
    expect((await scene.as().delete(`/scim/v2/Groups/${id}`).set('if-match', second.headers['etag']!)).status).toBe(
      204,
    );
  });

  it('has a name of its own, and bounds', async () => {
    const id = await group('Team Bounds');
    const taken = await scene.as().post('/scim/v2/Groups').send({ displayName: 'TEAM BOUNDS' });
    expect([taken.status, taken.body.scimType]).toEqual([409, 'uniqueness']);
    const many = await scene
      .as()
      .put(`/scim/v2/Groups/${id}`)
      .send({ displayName: 'x', members: member('a', 'b', 'c', 'd') });
    expect([many.status, many.body.detail]).toEqual([409, 'a group has 3 members at most (WDR_SCIM_LIMIT)']);
    expect((await scene.as().post('/scim/v2/Groups').send({ displayName: '' })).status).toBe(400);
    const odd = await scene.patch(`Groups/${id}`, [{ op: 'add', path: 'members.display', value: 'x' }]);
    expect([odd.status, odd.body.scimType]).toEqual([400, 'invalidPath']);
    for (let at = 1; at < 8; at += 1) await group(`Team ${at}`);
    const full = await scene.as().post('/scim/v2/Groups').send({ displayName: 'one more' });
    expect([full.status, full.body.detail]).toEqual([409, 'there are 8 groups at most (WDR_SCIM_LIMIT)']);
  });
});

describe('a filter', () => {
  it('that no index narrows is refused past the bound, and answered with an equality beside it', async () => {
    const ask = (filter: string) => scene.as().get(`/scim/v2/Groups?filter=${encodeURIComponent(filter)}`);
    const { status, body } = await ask('displayName sw "Team"');
    expect([status, body.scimType]).toEqual([400, 'tooMany']);
    expect(body.detail).toContain('WDR_SCIM_FILTER_BROAD');
    expect((await ask('displayName sw "Team" and displayName eq "team 2"')).body.totalResults).toBe(1);
    expect((await ask(`members.value eq "${ids[0]}"`)).body.totalResults).toBe(0);
  });
});

describe('rules that are others than at the last start', () => {
  it('count for everybody at once', async () => {
    const { body } = await scene.as().get('/scim/v2/Groups?filter=displayName%20eq%20%22Team%201%22');
    await scene.patch(`Groups/${body.Resources[0].id}`, [{ op: 'add', path: 'members', value: member(ids[0]) }]);
    expect(await groupsOf(0)).toEqual(['1']);
    await scene.identity.stop();
    await scene.identity.start({
      groupRules: [{ from: 'Team 1', to: 'first' }],
      scim: { tokens: { okta: 'x'.repeat(32) } },
    });
    expect(await groupsOf(0)).toEqual(['first']);
  });
});
