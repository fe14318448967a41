import { readSignedToken } from '@warder/tokens';
import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentsScene, Signer, type TokenAnswer } from './agents.scene.js';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TYPE = 'urn:ietf:params:oauth:token-type:';
const CLIENT = { id: 'assistant', secret: 'a-secret-that-the-company-gave-the-assistant' };

let scene: AgentsScene;
let company: Signer;
let spiffe: Signer;
let cluster: Signer;
let ana: string;
let bo: string;
let bot: { id: string; secret: string; credential: string };
let deep: { id: string; secret: string; credential: string };

const ask = (...args: Parameters<AgentsScene['identity']['ask']>) => scene.identity.ask(...args);
const idToken = (sub: string, more: object = {}, header: Record<string, unknown> = {}) =>
  company.sign({ iss: company.issuer, aud: 'agent-platform', sub, ...more }, header);
const svid = (more: object = {}) => spiffe.sign({ aud: 'warder', sub: 'spiffe://corp.example/agents/triage', ...more });
/** A projected token of a pod (Kubernetes, "Service account token volume projection"). */
const pod = (more: object = {}) =>
  cluster.sign({
    iss: cluster.issuer,
    aud: ['warder'],
    sub: 'system:serviceaccount:agents:triage',
    nbf: Math.floor(Date.now() / 1_000),
    'kubernetes.io': {
      namespace: 'agents',
      node: { name: 'node-1', uid: 'd6f0e2ce-8f0c-4b2a-9a52-1c3f5a0f7e11' },
      pod: { name: 'triage-7c9f', uid: '4a3a9b1e-0a76-4a0b-8f55-0f6c3f2b9d20' },
      serviceaccount: { name: 'triage', uid: '8e7d1c2b-3a4f-4d5e-9b6c-7f8091a2b3c4' },
    },
    ...more,
  });
const jag = (more: object = {}, header: object = {}) =>
  company.sign(
    { iss: company.issuer, aud: scene.origin, sub: 'ana@corp', client_id: CLIENT.id, ...more },
    { typ: 'oauth-id-jag+jwt', ...header },
  );

const exchange = async (subject: string, more: Record<string, string> = {}, as: typeof bot | null = bot) =>
  scene.token(
    {
      grant_type: EXCHANGE,
      resource: scene.resource(),
      subject_token: subject,
      subject_token_type: `${TYPE}${subject.includes('.') && more['kind'] === 'access' ? 'access_token' : 'id_token'}`,
      ...Object.fromEntries(Object.entries(more).filter(([name]) => name !== 'kind')),
    },
    as ?? undefined,
  );
const workload = (subject: string, clientId: string, token: string, more: Record<string, string> = {}) =>
  exchange(subject, { client_id: clientId, actor_token: token, actor_token_type: `${TYPE}jwt`, ...more }, null);
const present = (assertion: string, more: Record<string, string> = {}) =>
  scene.token({ grant_type: JWT_BEARER, assertion, ...more }, CLIENT);

/** The claims of a token of ours. */
function claimsOf({ access_token: token }: TokenAnswer) {
  const [key] = [...scene.identity.signingKeys.values()];
  const claims = readSignedToken(token, scene.origin, Date.now(), () =>
    createPublicKey({ key: key!.jwk, format: 'jwk' }),
  );
  if (typeof claims === 'string') throw new Error(claims);
  return claims;
}

const link = (provider: string, subject: string, principal: string) =>
  scene.identity.query(
    `INSERT INTO identity.identity_link (provider, subject, principal_id) VALUES ('${provider}', '${subject}', '${principal}')`,
  );

async function account(owner: string, name: string): Promise<typeof bot> {
  const id = await scene.serviceAccount(owner, name);
  const { id: credential, secret } = await scene.secret(id);
  return { id, secret, credential };
}

beforeAll(async () => {
  [company, spiffe, cluster] = await Promise.all([
    new Signer().listen(),
    new Signer('jwt-svid').listen(),
    // As a cluster signs, by RSA and under keys of which it says `sig`.
    new Signer('sig', 'RS256').listen(),
  ]);
  const first = await AgentsScene.start({});
  ana = await first.person('ana');
  bo = await first.person('bo', ['ops']);
  scene = first;
  [bot, deep] = [await account(ana, 'triage-bot'), await account(ana, 'deep-bot')];
  // The rules name service accounts by their ids, which are known only now.
  await first.identity.stop();
  await first.identity.start({
    authorization: { clients: [{ ...CLIENT, name: 'Assistant', redirectUris: [], idJag: true }] },
    agents: {
      privateHosts: [company.host, spiffe.host, cluster.host],
      issuers: [
        {
          id: 'corp',
          issuer: company.issuer,
          jwksUri: `${company.issuer}/keys`,
          idJag: true,
          linksByEmail: true,
          idTokenAudiences: ['agent-platform'],
        },
      ],
      trustDomains: [
        {
          id: 'mesh',
          kind: 'spiffe',
          trustDomain: 'corp.example',
          jwksUri: `${spiffe.issuer}/keys`,
          audience: 'warder',
        },
        {
          id: 'k8s',
          kind: 'kubernetes',
          issuer: cluster.issuer,
          jwksUri: `${cluster.issuer}/keys`,
          audience: 'warder',
        },
      ],
      mayAct: [
        { name: 'triage', serviceAccounts: [bot.id], groups: ['developers'], virtualServers: ['dev'], minutesMax: 5 },
        { name: 'chain', serviceAccounts: [deep.id], principals: [ana], virtualServers: ['dev'], depthMax: 2 },
        {
          name: 'pods',
          workloads: [
            { trustDomain: 'mesh', subject: 'spiffe://corp.example/agents/*' },
            { trustDomain: 'k8s', subject: 'system:serviceaccount:agents:triage' },
          ],
          groups: ['developers'],
          virtualServers: ['dev'],
        },
      ],
    },
  });
  await first.publishServers();
  await link('corp', 'ana@corp', ana);
  await link('corp', 'bo@corp', bo);
});

afterAll(async () => {
  await scene?.close();
  await Promise.all([company, spiffe, cluster].map((signer) => signer?.close()));
});

describe('token exchange', () => {
  it('gives an agent a token for a person that names both, by the rule, and no longer than either', async () => {
    const { status, body } = await exchange(await idToken('ana@corp'));
    expect(status).toBe(200);
    expect(body).toMatchObject({ issued_token_type: `${TYPE}access_token`, token_type: 'Bearer' });
    expect(body.refresh_token).toBeUndefined();
    expect(body.expires_in).toBeLessThanOrEqual(300);
    expect(claimsOf(body)).toMatchObject({
      sub: ana,
      client_id: bot.id,
      client_by: 'secret',
      act: { sub: bot.id, kind: 'service' },
      ends_with: [bot.credential],
    });
    const found = scene.atIngress(body.access_token);
    expect(found).toMatchObject({ principal: { id: ana }, token: { name: 'triage-bot', kind: 'token-exchange' } });
    const nowS = Math.floor(Date.now() / 1_000);
    const brief = await exchange(await idToken('ana@corp', { exp: nowS + 40 }));
    expect(brief.body.expires_in).toBeLessThanOrEqual(40);
    const issued = () => scene.identity.records.find(({ method }) => method === 'admin/identity/token-exchange.issue');
    await expect.poll(issued).toMatchObject({
      kind: 'authentication',
      principal: { id: ana },
      actorChain: [{ id: bot.id, kind: 'service' }],
      verified: { client: bot.id, by: 'secret' },
      personal: { arguments: { value: { virtualServer: 'dev', rule: 'triage' } } },
    });
  });

  it('takes the actor’s own token too, and the chain goes on to the depth of the rule', async () => {
    const { body: first } = await exchange(await idToken('ana@corp'));
    const { body: own } = await scene.clientCredentials(deep.id, deep.secret);
    const actor = { actor_token: own.access_token, actor_token_type: `${TYPE}access_token`, kind: 'access' };
    const { status, body } = await exchange(first.access_token, actor, deep);
    expect(status).toBe(200);
    expect(claimsOf(body)).toMatchObject({
      sub: ana,
      act: { sub: deep.id, kind: 'service', act: { sub: bot.id, kind: 'service' } },
    });
    const third = await exchange(body.access_token, { kind: 'access' }, deep);
    expect([third.status, third.body.error]).toEqual([400, 'invalid_request']);
    const foreign = await exchange(first.access_token, { ...actor, kind: 'access' }, bot);
    expect(foreign.status).toBe(400);
    // A chain that grew has all its ends: the first agent's credential among them.
    await ask('PATCH', `/principals/${bot.id}?wait=5000`, { status: 'suspended' });
    expect(scene.atIngress(body.access_token)).toBe('actor-inactive');
    await ask('PATCH', `/principals/${bot.id}?wait=5000`, { status: 'active' });
  });

  it('takes workloads of a mesh and of a cluster, by what their domain signed for us', async () => {
    const mesh = await workload(await idToken('ana@corp'), 'mesh', await svid());
    expect(mesh.status).toBe(200);
    expect(claimsOf(mesh.body)).toMatchObject({
      client_by: 'workload',
      client_name: 'spiffe://corp.example/agents/triage',
      act: { sub: 'spiffe://corp.example/agents/triage', iss: 'spiffe://corp.example', kind: 'spiffe' },
    });
    expect(scene.atIngress(mesh.body.access_token)).toBeTypeOf('object');
    const k8s = await workload(await idToken('ana@corp'), 'k8s', await pod());
    expect(k8s.status).toBe(200);
    expect(claimsOf(k8s.body).act).toMatchObject({ sub: 'system:serviceaccount:agents:triage', kind: 'kubernetes' });
    expect(scene.atIngress(k8s.body.access_token)).toMatchObject({
      principal: { id: ana },
      token: { actors: [{ id: 'system:serviceaccount:agents:triage', kind: 'kubernetes' }] },
    });
    // The same words under the signature of somebody else are nobody's.
    const forger = await new Signer('jwt-svid').listen();
    const forged = await forger.sign({ aud: 'warder', sub: 'spiffe://corp.example/agents/triage' });
    expect((await workload(await idToken('ana@corp'), 'mesh', forged)).status).toBe(400);
    await forger.close();
  });

  it.each<[string, () => Promise<{ status: number; body: TokenAnswer }>, string]>([
    ['a person whom no rule names', async () => exchange(await idToken('bo@corp')), 'invalid_request'],
    [
      'an actor whom no rule names for them',
      async () => exchange(await idToken('bo@corp'), {}, deep),
      'invalid_request',
    ],
    [
      'a virtual server of no rule',
      async () => exchange(await idToken('ana@corp'), { resource: scene.resource('ops') }),
      'invalid_request',
    ],
    [
      'a resource of nobody',
      async () => exchange(await idToken('ana@corp'), { resource: 'https://x.example' }),
      'invalid_target',
    ],
    ['somebody who is not known', async () => exchange(await idToken('eve@corp')), 'invalid_request'],
    [
      'an ID token for another audience',
      async () => exchange(await idToken('ana@corp', { aud: 'other' })),
      'invalid_request',
    ],
    ['an expired ID token', async () => exchange(await idToken('ana@corp', { exp: 1_000 })), 'invalid_request'],
    [
      'an ID token of another issuer',
      async () => exchange(await idToken('ana@corp', { iss: 'https://evil.example' })),
      'invalid_request',
    ],
    [
      'a logout token',
      async () => exchange(await idToken('ana@corp', { events: {} }, { typ: 'logout+jwt' })),
      'invalid_request',
    ],
    ['an ID-JAG for an ID token', async () => exchange(await jag({ aud: 'agent-platform' })), 'invalid_request'],
    [
      'a token of a workload of another domain',
      async () =>
        workload(await idToken('ana@corp'), 'mesh', await svid({ sub: 'spiffe://evil.example/agents/triage' })),
      'invalid_request',
    ],
    [
      'one for another audience',
      async () => workload(await idToken('ana@corp'), 'mesh', await svid({ aud: 'other' })),
      'invalid_request',
    ],
    [
      'one that never ends',
      async () => workload(await idToken('ana@corp'), 'k8s', await pod({ exp: undefined })),
      'invalid_request',
    ],
    ['one of another cluster', async () => workload(await idToken('ana@corp'), 'k8s', await svid()), 'invalid_request'],
    [
      'a workload without its token',
      async () => exchange(await idToken('ana@corp'), { client_id: 'mesh' }, null),
      'invalid_request',
    ],
    [
      'a client that is no actor',
      async () => exchange(await idToken('ana@corp'), {}, { ...CLIENT, credential: '' }),
      'invalid_request',
    ],
    [
      'a refresh token',
      async () => exchange(await idToken('ana@corp'), { requested_token_type: `${TYPE}refresh_token` }),
      'invalid_request',
    ],
    [
      'a service account as the person',
      async () => exchange((await scene.clientCredentials(deep.id, deep.secret)).body.access_token, { kind: 'access' }),
      'invalid_request',
    ],
  ])('is refused for %s', async (_, attempt, error) => {
    const { status, body } = await attempt();
    expect([status, body.error]).toEqual([400, error]);
    expect(body.access_token).toBeUndefined();
  });

  it('fetches keys once for however many key ids are presented, and knows a new one after a while', async () => {
    const before = company.fetches;
    for (let at = 0; at < 5; at += 1) await exchange(await idToken('ana@corp', {}, { kid: `made-up-${at}` }));
    expect(company.fetches - before).toBeLessThanOrEqual(1);
  });

  it('ends with either end: the person’s sign-out, the agent’s credential, the grant; and puts refusals on record', async () => {
    const subject = await idToken('ana@corp');
    const { body } = await exchange(subject);
    expect(scene.atIngress(body.access_token)).toBeTypeOf('object');
    await ask('POST', `/principals/${ana}/sign-out?wait=5000`);
    // Both the grant that the agent had and the time of the sign-out refuse it.
    expect(scene.atIngress(body.access_token)).toBe('grant-revoked');
    // A token that was made before the sign-out brings nobody back.
    const late = await exchange(subject);
    expect(late.status).toBe(400);
    const fresh = () => idToken('ana@corp', { iat: Math.ceil(Date.now() / 1_000) + 1 });
    const again = await exchange(await fresh());
    expect(again.status).toBe(200);
    const { body: clients } = await ask('GET', `/principals/${ana}/clients`);
    const held = (clients as unknown as { clients: { id: string; clientId: string }[] }).clients;
    const grant = held.find(({ clientId }) => clientId === bot.id)!;
    expect(claimsOf(again.body).grant_id).toBe(grant.id);
    await ask('DELETE', `/principals/${ana}/clients/${grant.id}?wait=5000`);
    expect(scene.atIngress(again.body.access_token)).toBe('grant-revoked');
    const last = await exchange(await fresh());
    expect(claimsOf(last.body).grant_id).not.toBe(grant.id);
    await ask('DELETE', `/service-accounts/${bot.id}/credentials/${bot.credential}?wait=5000`);
    expect(scene.atIngress(last.body.access_token)).toBe('grant-revoked');
    const refused = () => scene.identity.records.filter(({ refusal }) => refusal?.code === 'WDR_GRANT_REFUSED').length;
    await expect.poll(refused, { timeout: 20_000 }).toBeGreaterThan(0);
  });
});

describe('an ID-JAG', () => {
  it('gives its client a token for the person, once, answered by a handler that is given nothing to call after (trap 7)', async () => {
    const assertion = await jag({ resource: scene.resource(), iat: Math.ceil(Date.now() / 1_000) + 1 });
    const { status, body } = await present(assertion);
    expect(status).toBe(200);
    expect(body.refresh_token).toBeUndefined();
    expect(scene.atIngress(body.access_token)).toMatchObject({
      principal: { id: ana },
      token: { kind: 'id-jag', name: 'Assistant', client: { id: CLIENT.id, by: 'advance' }, actors: [] },
    });
    const replayed = await present(assertion);
    expect([replayed.status, replayed.body.error]).toEqual([400, 'invalid_grant']);
    const issued = () => scene.identity.records.find(({ method }) => method === 'admin/identity/id-jag.issue');
    await expect.poll(issued).toMatchObject({ kind: 'authentication', principal: { id: ana } });
  });

  it('finds a person who never signed in by the address that the provider verified, where that is configured', async () => {
    const cy = await scene.person('cy');
    const claims = { sub: 'cy@corp', email: 'CY@example.com', resource: scene.resource() };
    expect((await present(await jag(claims))).status).toBe(400);
    const { body } = await present(await jag({ ...claims, email_verified: true }));
    expect(scene.atIngress(body.access_token)).toMatchObject({ principal: { id: cy } });
  });

  it.each<[string, object, object]>([
    ['for another client', { client_id: 'other' }, {}],
    ['for another gateway', { aud: 'https://other.example' }, {}],
    ['for several at once', { aud: ['https://other.example', 'x'] }, {}],
    ['of another kind', {}, { typ: 'JWT' }],
    ['that has expired', { exp: 1_000 }, {}],
    ['that lives too long', { exp: Math.floor(Date.now() / 1_000) + 7_200 }, {}],
    ['without an id', { jti: undefined }, {}],
    ['without an end', { exp: undefined }, {}],
    ['of somebody unknown', { sub: 'eve@corp' }, {}],
    ['of another issuer', { iss: 'https://evil.example' }, {}],
  ])('%s is refused', async (_, claims, header) => {
    const { status, body } = await present(
      await jag({ resource: scene.resource(), sub: 'bo@corp', ...claims }, header),
    );
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });

  it('is for the virtual server and the scope that it names, and for clients that may present one', async () => {
    const now = { sub: 'bo@corp' };
    const elsewhere = await present(await jag({ ...now, resource: scene.resource('ops') }), {
      resource: scene.resource(),
    });
    expect(elsewhere.body.error).toBe('invalid_target');
    expect((await present(await jag({ ...now, resource: 'https://x.example' }))).body.error).toBe('invalid_target');
    const scoped = await present(await jag({ ...now, resource: scene.resource(), scope: 'mail.read' }));
    expect(scoped.body.error).toBe('invalid_scope');
    const form = { grant_type: JWT_BEARER, assertion: await jag({ ...now, resource: scene.resource() }) };
    expect((await scene.token(form, deep)).status).toBe(400);
    expect((await scene.token(form, { ...CLIENT, secret: 'x'.repeat(40) })).status).toBe(401);
  });
});
