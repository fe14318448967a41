import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentsScene, Signer } from './agents.scene.js';

let scene: AgentsScene;
let signer: Signer;
let ana: string;

const ask = (...args: Parameters<AgentsScene['identity']['ask']>) => scene.identity.ask(...args);
const assertion = (id: string, more: object = {}, header: object = {}) =>
  signer.sign({ iss: id, sub: id, aud: scene.origin, jti: randomUUID(), ...more }, { ...header });
const byKey = async (clientAssertion: string) =>
  scene.token({
    grant_type: 'client_credentials',
    resource: scene.resource(),
    client_assertion: clientAssertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  });

beforeAll(async () => {
  signer = await new Signer().listen();
  scene = await AgentsScene.start({ accountsPerOwnerMax: 6, secretsPerAccountMax: 2, privateHosts: [signer.host] });
  ana = await scene.person('ana');
});

afterAll(async () => {
  await scene?.close();
  await signer?.close();
});

describe('a service account', () => {
  it('comes for its token by its secret, for one virtual server, and stands at every node as itself', async () => {
    const id = await scene.serviceAccount(ana);
    const { id: credential, secret } = await scene.secret(id);
    expect(secret).toMatch(/^wds_[\w-]{48}$/);
    const { status, body } = await scene.clientCredentials(id, secret);
    expect(status).toBe(200);
    expect(body.refresh_token).toBeUndefined();
    const found = scene.atIngress(body.access_token);
    if (typeof found === 'string') throw new Error(found);
    expect(found.principal).toMatchObject({ id, kind: 'service', name: 'triage-bot' });
    expect(found.token).toMatchObject({
      id: credential,
      kind: 'client-credentials',
      name: 'triage-bot',
      client: { id, by: 'secret' },
      actors: [],
    });
    expect(scene.atIngress(body.access_token, 'ops')).toBe('audience');
    const post = await scene.token({
      grant_type: 'client_credentials',
      resource: scene.resource(),
      client_id: id,
      client_secret: secret,
    });
    expect(post.status).toBe(200);
    const issued = () =>
      scene.identity.records.find(({ method }) => method === 'admin/identity/client-credentials.issue');
    await expect.poll(issued).toMatchObject({
      kind: 'authentication',
      decision: 'permit',
      principal: { id, kind: 'service' },
      verified: { client: id, by: 'secret' },
    });
    expect(JSON.stringify(scene.identity.records)).not.toContain(secret);
  });

  it('keeps no secret where it could be read', async () => {
    const id = await scene.serviceAccount(ana);
    const { secret } = await scene.secret(id);
    const rows = await scene.identity.query('SELECT service_credential::text AS text FROM identity.service_credential');
    expect(rows.length).toBeGreaterThan(0);
    for (const { text } of rows) expect(text).not.toContain(secret);
    const { body } = await ask('GET', `/service-accounts/${id}`);
    expect(JSON.stringify(body)).not.toContain(secret);
    // What the database holds opens nothing either.
    const [{ digest }] = (await scene.identity.query('SELECT digest FROM identity.service_credential')) as [
      { digest: string },
    ];
    expect((await scene.clientCredentials(id, digest)).status).toBe(401);
  });

  it('comes by a key instead, each assertion once, for keys that were sent and for those that are fetched', async () => {
    const id = await scene.serviceAccount(ana);
    const keys = { jwks: { keys: [await signer.publicJwk()] } };
    expect((await ask('PUT', `/service-accounts/${id}/keys`, keys)).status).toBe(200);
    const first = await assertion(id);
    const { status, body } = await byKey(first);
    expect(status).toBe(200);
    expect(scene.atIngress(body.access_token)).toMatchObject({ token: { client: { id, by: 'private_key_jwt' } } });
    expect((await byKey(first)).status).toBe(401);
    for (const bad of [{ aud: 'https://other.example' }, { exp: 1 }, { iss: 'svc_other' }])
      expect((await byKey(await assertion(id, bad))).status).toBe(401);
    const fetched = { jwksUri: `${signer.issuer}/keys` };
    expect((await ask('PUT', `/service-accounts/${id}/keys`, fetched)).status).toBe(200);
    // Tokens of the keys before end with them.
    await expect.poll(() => scene.atIngress(body.access_token)).toBe('grant-revoked');
    expect((await byKey(await assertion(id))).status).toBe(200);
  });

  it('is let in by no key that its address has no more', async () => {
    const id = await scene.serviceAccount(await scene.person('ida'));
    expect((await ask('PUT', `/service-accounts/${id}/keys`, { jwksUri: `${signer.issuer}/keys` })).status).toBe(200);
    // What was had of the address by tests before is old; such a clock never goes back.
    const { monotonicMs } = scene.identity;
    scene.identity.monotonicMs = () => monotonicMs() + 31_000;
    expect((await byKey(await assertion(id))).status).toBe(200);
    const late = await assertion(id);
    signer.rotate();
    const before = signer.fetches;
    scene.identity.monotonicMs = () => monotonicMs() + 62_000;
    expect((await byKey(late)).status).toBe(401);
    expect((await byKey(await assertion(id))).status).toBe(200);
    expect(signer.fetches - before).toBe(1);
  });

  it('fetches no keys from a private address that nobody named', async () => {
    const id = await scene.serviceAccount(await scene.person('gil'));
    const other = await new Signer().listen();
    expect((await ask('PUT', `/service-accounts/${id}/keys`, { jwksUri: `${other.issuer}/keys` })).status).toBe(200);
    const forged = await other.sign({ iss: id, sub: id, aud: scene.origin });
    expect((await byKey(forged)).status).toBeGreaterThanOrEqual(400);
    expect(other.fetches).toBe(0);
    await other.close();
  });

  it('goes on by its new secret when the old one is ended, and with that end all that it gave, at once', async () => {
    const id = await scene.serviceAccount(ana);
    const [old, next] = [await scene.secret(id), await scene.secret(id)];
    const [{ body: before }, { body: after }] = [
      await scene.clientCredentials(id, old.secret),
      await scene.clientCredentials(id, next.secret),
    ];
    expect((await ask('POST', `/service-accounts/${id}/secrets`, { name: 'third' })).body.error.code).toBe(
      'WDR_CREDENTIAL_LIMIT',
    );
    expect((await ask('DELETE', `/service-accounts/${id}/credentials/${old.id}?wait=5000`)).status).toBe(200);
    expect(scene.atIngress(before.access_token)).toBe('grant-revoked');
    expect(scene.atIngress(after.access_token)).toBeTypeOf('object');
    expect((await scene.clientCredentials(id, old.secret)).status).toBe(401);
    expect((await scene.clientCredentials(id, next.secret)).status).toBe(200);
    // The end is told again after a restart, for as long as what it gave might be presented.
    expect(scene.identity.grants.get(old.id)).toMatchObject({ status: 'revoked', principalId: id });
  });

  it('outlives no secret that has an end', async () => {
    const id = await scene.serviceAccount(await scene.person('fin'));
    const { secret } = await scene.secret(id, { expiresInDays: 1 });
    const real = scene.identity.nowMs;
    scene.identity.nowMs = () => real() + 86_400_000 - 60_000;
    try {
      const { body } = await scene.clientCredentials(id, secret);
      expect(body.expires_in).toBeLessThanOrEqual(60);
      scene.identity.nowMs = () => real() + 86_400_000 + 1;
      expect((await scene.clientCredentials(id, secret)).status).toBe(401);
    } finally {
      scene.identity.nowMs = real;
    }
  });
});

describe('the owner of a service account', () => {
  it('who stops stops it on every node, whoever stopped them, and lets it go on by coming back', async () => {
    const bo = await scene.person('bo');
    const id = await scene.serviceAccount(bo);
    const { secret } = await scene.secret(id);
    const { body } = await scene.clientCredentials(id, secret);
    await ask('PATCH', `/principals/${bo}?wait=5000`, { status: 'suspended' });
    expect(scene.atIngress(body.access_token)).toBe('principal-suspended');
    expect((await scene.clientCredentials(id, secret)).status).toBe(401);
    const { body: refused } = await ask('PATCH', `/principals/${id}`, { status: 'active' });
    expect(refused.error.code).toBe('WDR_OWNER_INACTIVE');
    await ask('PATCH', `/principals/${bo}?wait=5000`, { status: 'active' });
    // What it had was cut off for good; it comes for another.
    expect(scene.atIngress(body.access_token)).toBe('signed-out');
    const { body: next } = await scene.clientCredentials(id, secret);
    expect(scene.atIngress(next.access_token)).toBeTypeOf('object');
    const why = () =>
      scene.identity.records.filter(({ method }) => method.includes('service-account.')).map(({ method }) => method);
    await expect.poll(why).toContain('admin/identity/service-account.stop');
    expect(why()).toContain('admin/identity/service-account.resume');
  });

  it('who is offboarded leaves it stopped until an administrator names the next one', async () => {
    const cy = await scene.person('cy');
    const id = await scene.serviceAccount(cy);
    const { secret } = await scene.secret(id);
    const { body } = await scene.clientCredentials(id, secret);
    await ask('POST', `/principals/${cy}/offboard?wait=5000`);
    expect(scene.atIngress(body.access_token)).toBe('principal-suspended');
    expect((await ask('PATCH', `/service-accounts/${id}`, { ownerId: cy })).status).toBe(200);
    expect((await ask('GET', `/service-accounts/${id}`)).body).toMatchObject({ status: 'suspended', ownerId: cy });
    expect((await ask('PATCH', `/service-accounts/${id}`, { ownerId: id })).body.error.code).toBe('WDR_OWNER_INACTIVE');
    const eva = await scene.person('eva');
    const { body: handed } = await ask('PATCH', `/service-accounts/${id}?wait=5000`, { ownerId: eva, team: 'sre' });
    expect(handed).toMatchObject({ status: 'active', ownerId: eva, team: 'sre' });
    expect(scene.atIngress(body.access_token)).toBe('signed-out');
    expect((await scene.clientCredentials(id, secret)).status).toBe(200);
  });

  it('who is active does not undo what an administrator decided', async () => {
    const dan = await scene.person('dan');
    const id = await scene.serviceAccount(dan);
    const { secret } = await scene.secret(id);
    const { body } = await scene.clientCredentials(id, secret);
    await ask('PATCH', `/principals/${id}`, { status: 'suspended' });
    await ask('PATCH', `/principals/${dan}`, { status: 'suspended' });
    await ask('PATCH', `/principals/${dan}`, { status: 'active' });
    expect((await ask('GET', `/principals/${id}`)).body).toMatchObject({ status: 'suspended' });
    // Nor does that administrator give back what it had.
    await ask('PATCH', `/principals/${id}?wait=5000`, { status: 'active' });
    expect(scene.atIngress(body.access_token)).toBe('signed-out');
  });
});

describe('what is not a service account', () => {
  it.each([
    ['an owner who is nobody', 'POST', '', { name: 'x', team: 't', ownerId: 'usr_no' }, 409, 'WDR_OWNER_INACTIVE'],
    ['an account without an owner', 'POST', '', { name: 'x', team: 't' }, 400, 'WDR_BODY_INVALID'],
    ['an unknown account', 'GET', '/svc_no', undefined, 404, 'WDR_SERVICE_ACCOUNT_UNKNOWN'],
    ['a private key', 'PUT', '/svc_no/keys', { jwks: { keys: [{ kty: 'EC', d: 'x' }] } }, 400, 'WDR_BODY_INVALID'],
  ] as const)('is told: %s', async (_, method, path, body, status, code) => {
    const answer = await ask(method, `/service-accounts${path}`, body);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });

  it('is bounded, and has either secrets or keys', async () => {
    const hal = await scene.person('hal');
    const ids = [];
    for (let at = 0; at < 6; at += 1) ids.push(await scene.serviceAccount(hal));
    const seventh = await ask('POST', '/service-accounts', { name: 'x', team: 't', ownerId: hal });
    expect(seventh.body.error.code).toBe('WDR_SERVICE_ACCOUNT_LIMIT');
    const [id] = ids;
    const { id: credential } = await scene.secret(id!);
    const keys = { jwks: { keys: [await signer.publicJwk()] } };
    expect((await ask('PUT', `/service-accounts/${id}/keys`, keys)).body.error.code).toBe('WDR_CREDENTIAL_KIND');
    const unknown = await ask('DELETE', `/service-accounts/${ids[1]}/credentials/${credential}`);
    expect(unknown.body.error.code).toBe('WDR_SERVICE_CREDENTIAL_UNKNOWN');
    await ask('POST', `/principals/${id}/offboard`);
    expect((await ask('POST', `/service-accounts/${id}/secrets`, { name: 'x' })).body.error.code).toBe(
      'WDR_PRINCIPAL_REMOVED',
    );
  });

  it('gets nothing by client credentials, however it registered, and its try is on record', async () => {
    const response = await fetch(`${scene.origin}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'Bot',
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
        token_endpoint_auth_method: 'client_secret_basic',
      }),
    });
    const client = (await response.json()) as { client_id: string; client_secret: string };
    expect(response.status).toBe(201);
    const { status, body } = await scene.clientCredentials(client.client_id, client.client_secret);
    expect([status, body.error]).toEqual([400, 'unauthorized_client']);
    const refused = () => scene.identity.records.find(({ refusal }) => refusal?.code === 'WDR_GRANT_REFUSED');
    await expect.poll(refused, { timeout: 20_000 }).toMatchObject({
      kind: 'authentication',
      decision: 'forbid',
      outcome: 'failure',
    });
  });
});
