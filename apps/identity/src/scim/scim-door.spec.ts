import { randomBytes } from 'node:crypto';
import { issueToken } from '@warder/tokens';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { IdentityScene } from '../identity.scene.js';
import { ScimConfig } from './scim-config.js';
import { ENTRA, ENTRA_DIGEST, OKTA, ScimScene } from './scim.scene.js';

let scene: ScimScene;
beforeAll(async () => {
  scene = await ScimScene.start({ scim: { bodyBytesMax: 65_536, pageMax: 2, usersMax: 7 } });
  for (const name of ['ana', 'ben', 'cleo', 'dora', 'eli']) await scene.user(name, { title: `Dr ${name}` });
});
afterAll(() => scene.identity.close());

const list = async (query: string, path = 'Users') => {
  const { status, body } = await scene.as().get(`/scim/v2/${path}?${query}`);
  return { status, body };
};
const found = async (filter: string) => {
  const { body } = await list(`filter=${encodeURIComponent(filter)}&count=2`);
  return [
    body.totalResults,
    ...(body.Resources ?? []).map(({ userName }: { userName: string }) => userName.split('@')[0]),
  ];
};

describe('the door of SCIM', () => {
  it('lets in the configured bearers, by text and by digest, and nobody else', async () => {
    const url = scene.identity.running!.url;
    const ask = (authorization?: string, path = '/scim/v2/Users') => {
      const asked = request(url).get(path);
      return authorization === undefined ? asked : asked.set('authorization', authorization);
    };
    for (const bearer of [OKTA, ENTRA]) expect((await ask(`Bearer ${bearer}`)).status).toBe(200);
    const pat = scene.identity.adminToken;
    for (const wrong of [
      `Bearer ${pat}`,
      `Bearer ${issueToken(randomBytes)}`,
      `Bearer ${OKTA}x`,
      `Bearer ${ENTRA_DIGEST}`,
      `Basic ${OKTA}`,
    ]) {
      const refused = await ask(wrong);
      expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer']);
      expect(refused.body).toEqual({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: '401',
        detail: 'the token is not accepted (WDR_TOKEN_UNKNOWN)',
      });
    }
    expect((await ask()).body.detail).toContain('WDR_TOKEN_MISSING');
    expect((await ask(`Bearer ${OKTA}`, '/%73cim/v2/Users')).status).toBe(404);
    expect((await ask(`Bearer ${pat}`, '/%73cim/v2/Users')).status).toBe(404);
    expect((await ask(`Bearer ${OKTA}`, '/admin/identity/principals')).status).toBe(401);
  });

  it('puts a bearer that it refused on record', async () => {
    await request(scene.identity.running!.url)
      .get('/scim/v2/Users')
      .set('authorization', 'Bearer canary-of-the-record');
    await scene.identity.stop();
    await scene.identity.start({ scim: { tokens: { okta: OKTA }, bodyBytesMax: 65_536, pageMax: 2, usersMax: 7 } });
    await vi.waitFor(() => {
      const refused = scene.identity.records.filter(({ refusal }) => refusal?.code === 'WDR_TOKEN_UNKNOWN');
      expect(refused.at(-1)).toMatchObject({ kind: 'authentication', decision: 'forbid', principal: null });
      expect(JSON.stringify(refused)).not.toContain('canary-of-the-record');
    });
  });

  it('reads no long body, and refuses in the form of the RFC what is no JSON, no path and no method', async () => {
    const send = (body: string, type = 'application/scim+json') =>
      scene.as().post('/scim/v2/Users').set('content-type', type).send(body);
    const long = JSON.stringify({ userName: 'long', title: 'x'.repeat(66_000) });
    for (const type of ['application/json', 'application/scim+json; charset=utf-8']) {
      const refused = await send(long, type);
      expect([refused.status, refused.body.status, refused.body.detail]).toEqual([
        413,
        '413',
        expect.stringContaining('WDR_BODY_TOO_LARGE'),
      ]);
    }
    const broken = await send('{"userName":');
    expect([broken.status, broken.body.scimType]).toEqual([400, 'invalidSyntax']);
    expect((await send('<user/>', 'application/xml')).status).toBe(415);
    const nowhere = await scene.as().get('/scim/v2/Bulk');
    expect([nowhere.status, nowhere.body.status]).toEqual([404, '404']);
    expect((await scene.as().post('/scim/v2/Schemas').send({})).status).toBe(404);
  });

  it('is not there without a configuration, whoever knocks', async () => {
    const without = await IdentityScene.create();
    await without.start();
    for (const bearer of [OKTA, without.adminToken]) {
      const agent = request.agent(without.running!.url).set('authorization', `Bearer ${bearer}`);
      const asked = [await agent.get('/scim/v2/Users'), await agent.post('/scim/v2/Users').send({ userName: 'x' })];
      expect(asked.map(({ status }) => status)).toEqual([404, 404]);
    }
    await without.close();
  });

  it('limits each client for itself, and says when to come again', async () => {
    const limited = await ScimScene.start({ scim: { requestsPerMinute: 1, burst: 2 } });
    const ask = (bearer: string) => limited.as(bearer).get('/scim/v2/Users');
    expect([(await ask(OKTA)).status, (await ask(OKTA)).status]).toEqual([200, 200]);
    const refused = await ask(OKTA);
    expect([refused.status, refused.body.detail]).toEqual([429, 'okta asks too often (WDR_SCIM_RATE_LIMITED)']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(ENTRA)).status).toBe(200);
    await limited.identity.close();
  });
});

describe('a list of users', () => {
  it('comes in pages of the bound, from any place, and by number alone', async () => {
    const first = await list('startIndex=1&count=100');
    expect(first.body).toMatchObject({ totalResults: 5, startIndex: 1, itemsPerPage: 2 });
    const rest = await list('startIndex=5&count=2');
    expect([rest.body.startIndex, rest.body.itemsPerPage]).toEqual([5, 1]);
    expect((await list('count=0')).body).toMatchObject({ totalResults: 5, itemsPerPage: 0, Resources: [] });
    expect((await list('startIndex=-3&count=-1')).body).toMatchObject({ startIndex: 1, itemsPerPage: 0 });
    expect((await list('startIndex=first')).body).toMatchObject({ status: '400', scimType: 'invalidValue' });
  });

  it.each([
    ['userName eq "ANA@example.com"', [1, 'ana']],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ben@example.com"', [1, 'ben']],
    ['externalId eq "00u-cleo"', [1, 'cleo']],
    ['externalId eq "00U-CLEO"', [0]],
    ['emails.value eq "Dora@Example.com"', [1, 'dora']],
    ['emails[type eq "work" and value eq "eli@example.com"]', [1, 'eli']],
    ['emails[type eq "home"].value eq "eli@example.com"', [0]],
    ['userName sw "a" or userName co "BEN"', [2, 'ana', 'ben']],
    ['title pr and active eq true', [5, 'ana', 'ben']],
    ['active eq "False"', [0]],
    ['not (userName co "e")', [0]],
    ['meta.lastModified gt "2020-01-01T00:00:00Z" and name.familyName ew "TIZ"', [5, 'ana', 'ben']],
    ['userName eq "ana@example.com" and externalId eq "00u-ben"', [0]],
    [`userName eq "' OR 1=1; DROP TABLE principal; --"`, [0]],
    ['userName eq "%" or userName sw "_"', [0]],
    ['constructor pr or __proto__ pr or toString sw "f"', [0]],
  ])('finds by %s', async (filter, expected) => {
    expect(await found(filter)).toEqual(expected);
  });

  it.each([
    'userName',
    'userName like "a"',
    'userName eq ana',
    "userName eq 'ana'",
    'userName eq "ana" garbage',
    `${'('.repeat(11)}userName pr${')'.repeat(11)}`,
    `userName eq "${'x'.repeat(1_000)}"`,
    'userName eq "a"; DROP TABLE principal',
  ])('refuses the filter %s', async (filter) => {
    const { status, body } = await list(`filter=${encodeURIComponent(filter)}`);
    expect([status, body.scimType, body.detail]).toEqual([
      400,
      'invalidFilter',
      expect.stringContaining('WDR_SCIM_FILTER_INVALID'),
    ]);
  });

  it('refuses a value that the database cannot hold as the mistake of its sender', async () => {
    expect((await list(`filter=${encodeURIComponent('userName eq "a\\u0000"')}`)).body.totalResults).toBe(0);
    expect((await list('filter=userName%20eq%20%22a%00%22')).status).toBe(400);
  });

  it('shows the attributes that are asked for, and always the id', async () => {
    const { body: some } = await list('count=1&attributes=userName,name.givenName');
    expect(some.Resources).toEqual([
      expect.objectContaining({ userName: 'ana@example.com', name: { givenName: 'ana' }, id: expect.any(String) }),
    ]);
    expect(Object.keys(some.Resources[0]).toSorted()).toEqual(['id', 'meta', 'name', 'schemas', 'userName']);
    const { body: others } = await list('count=1&excludedAttributes=emails,name.familyName,id');
    expect(others.Resources[0]).toMatchObject({ id: expect.any(String), name: { givenName: 'ana' } });
    expect(others.Resources[0]).not.toHaveProperty('emails');
    expect(others.Resources[0].name).not.toHaveProperty('familyName');
  });

  it('is known again by its version, without a body', async () => {
    const { body } = await list('count=1');
    const { id, meta } = body.Resources[0];
    const known = await scene.as().get(`/scim/v2/Users/${id}`).set('if-none-match', meta.version);
    expect([known.status, known.text]).toEqual([304, '']);
  });

  it('grows up to its bound', async () => {
    for (const name of ['finn', 'gus']) await scene.user(name);
    await expect(scene.user('hal')).rejects.toThrow('there are 7 users at most (WDR_SCIM_LIMIT)');
  });
});

describe('what the server says of itself', () => {
  it.each([
    ['ServiceProviderConfig', { patch: { supported: true }, filter: { supported: true, maxResults: 2 } }],
    ['ResourceTypes', { totalResults: 2 }],
    ['ResourceTypes/User', { endpoint: '/Users', name: 'User' }],
    ['Schemas', { totalResults: 3 }],
    ['Schemas/urn:ietf:params:scim:schemas:core:2.0:Group', { name: 'Group' }],
  ])('stands at %s', async (path, expected) => {
    const { status, body } = await list('', path);
    expect([status, body]).toEqual([200, expect.objectContaining(expected)]);
  });

  it('has nothing else', async () => {
    expect((await list('', 'Schemas/urn:none')).body.detail).toContain('WDR_SCIM_RESOURCE_UNKNOWN');
  });
});

describe('a configuration of SCIM', () => {
  it.each([
    {},
    { short: 'x'.repeat(31) },
    { bad: `sha256:${'0'.repeat(63)}` },
    { spaced: `${'x'.repeat(32)} y` },
    { 'no name': 'x'.repeat(32) },
  ])('is refused with the tokens %j', (tokens) => {
    expect(ScimConfig.safeParse({ tokens }).success).toBe(false);
  });
});
