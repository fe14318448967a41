import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentsScene, Signer, type TokenAnswer } from './agents.scene.js';

const TYPE = 'urn:ietf:params:oauth:token-type:';
const CLIENT = { id: 'assistant', secret: 'a-secret-that-the-company-gave-the-assistant' };
const ASSERTION_S = 3_600;
const CLOCKS_S = 30;

interface Answered {
  readonly status: number;
  readonly body: TokenAnswer;
}

let scene: AgentsScene;
let company: Signer;
let owner: string;
let ana: string;
let bot: { id: string; secret: string; credential: string };

const ask = (...args: Parameters<AgentsScene['identity']['ask']>) => scene.identity.ask(...args);
const nowS = () => Math.floor(scene.identity.nowMs() / 1_000);
const signed = (claims: object, header: object = {}) =>
  company.sign(
    { iss: company.issuer, sub: subjectOf(ana), iat: nowS() + 1, exp: nowS() + 300, ...claims },
    { ...header },
  );
const subjectOf = (id: string) => `${id}@corp`;
const clientCredentials = () => scene.clientCredentials(bot.id, bot.secret);
const exchange = (token: string, type = 'id_token') =>
  scene.token(
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      resource: scene.resource(),
      subject_token: token,
      subject_token_type: `${TYPE}${type}`,
    },
    bot,
  );
const exchangeIdToken = async (claims: object = {}) => exchange(await signed({ aud: 'agent-platform', ...claims }));
const jag = (claims: object = {}) =>
  signed(
    { aud: scene.origin, client_id: CLIENT.id, resource: scene.resource(), ...claims },
    { typ: 'oauth-id-jag+jwt' },
  );
const present = (assertion: string) =>
  scene.token({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }, CLIENT);
const idJag = async () => present(await jag());

beforeAll(async () => {
  company = await new Signer().listen();
  scene = await AgentsScene.start(
    {
      privateHosts: [company.host],
      assertionSecondsMax: ASSERTION_S,
      issuers: [
        {
          id: 'corp',
          issuer: company.issuer,
          jwksUri: `${company.issuer}/keys`,
          idJag: true,
          idTokenAudiences: ['agent-platform', 'assistant-platform'],
        },
      ],
      mayAct: [{ name: 'platform', teams: ['platform'], groups: ['developers'], virtualServers: ['dev'], depthMax: 2 }],
    },
    { authorization: { clients: [{ ...CLIENT, name: 'Assistant', redirectUris: [], idJag: true }] } },
  );
});

beforeEach(async () => {
  owner = await scene.person(`owner-${randomUUID()}`);
  ana = await scene.person(`ana-${randomUUID()}`);
  await scene.identity.query(
    `INSERT INTO identity.identity_link (provider, subject, principal_id) VALUES ('corp', '${subjectOf(ana)}', '${ana}')`,
  );
  const id = await scene.serviceAccount(owner);
  const { id: credential, secret } = await scene.secret(id);
  bot = { id, secret, credential };
});

afterAll(async () => {
  await scene?.close();
  await company?.close();
});

/** Lets an end and then a request wait for the same lock, so that the end comes after the first look at the request. */
async function inThatMoment(end: () => Promise<unknown>, request: () => Promise<Answered>): Promise<Answered> {
  const lock = await scene.identity.locked();
  const ended = end();
  await lock.areWaiting(1);
  const answered = request();
  await lock.areWaiting(2);
  await lock.release();
  await ended;
  return answered;
}

describe('what ends in the moment in which an agent comes', () => {
  const signOut = (id: () => string) => () => ask('POST', `/principals/${id()}/sign-out`);
  const offboard = (id: () => string) => () => ask('POST', `/principals/${id()}/offboard`);
  const endCredential = () => ask('DELETE', `/service-accounts/${bot.id}/credentials/${bot.credential}`);
  const person = () => ana;
  const account = () => bot.id;

  it.each<[string, string, () => Promise<unknown>, () => Promise<Answered>, number, string]>([
    ['client credentials', 'its sign-out', signOut(account), clientCredentials, 401, 'invalid_client'],
    ['client credentials', 'its offboarding', offboard(account), clientCredentials, 401, 'invalid_client'],
    ['client credentials', 'the end of its credential', endCredential, clientCredentials, 401, 'invalid_client'],
    [
      'client credentials',
      'the offboarding of its owner',
      offboard(() => owner),
      clientCredentials,
      401,
      'invalid_client',
    ],
    ['an exchange', 'the person’s sign-out', signOut(person), exchangeIdToken, 400, 'invalid_request'],
    ['an exchange', 'the person’s offboarding', offboard(person), exchangeIdToken, 400, 'invalid_request'],
    ['an exchange', 'the agent’s sign-out', signOut(account), exchangeIdToken, 400, 'invalid_request'],
    ['an exchange', 'the agent’s offboarding', offboard(account), exchangeIdToken, 400, 'invalid_request'],
    ['an exchange', 'the end of the agent’s credential', endCredential, exchangeIdToken, 400, 'invalid_request'],
    ['an ID-JAG', 'the person’s sign-out', signOut(person), idJag, 400, 'invalid_grant'],
    ['an ID-JAG', 'the person’s offboarding', offboard(person), idJag, 400, 'invalid_grant'],
  ])('gives nothing by %s after %s', async (_, __, end, request, status, error) => {
    expect((await request()).status).toBe(200);
    const { status: answered, body } = await inThatMoment(end, request);
    expect([answered, body.error, body.access_token]).toEqual([status, error, undefined]);
    const issued = await scene.identity.query(
      `SELECT 1 FROM identity.oauth_item WHERE model = 'Grant' AND account_id = '${ana}'`,
    );
    expect(issued.length).toBeLessThanOrEqual(1);
  });

  it('goes by the groups that the person is in by then, and by grants that stand', async () => {
    const leave = () => ask('PATCH', `/principals/${ana}`, { groups: [] });
    const left = await inThatMoment(leave, exchangeIdToken);
    expect([left.status, left.body.error]).toEqual([400, 'invalid_request']);
    await ask('PATCH', `/principals/${ana}`, { groups: ['developers'] });
    const { body: first } = await exchangeIdToken();
    const again = () => exchange(first.access_token, 'access_token');
    expect((await again()).status).toBe(200);
    const [, claims = ''] = first.access_token.split('.');
    const { grant_id: grantId } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { grant_id: string };
    const end = () => ask('DELETE', `/principals/${ana}/clients/${grantId}`);
    const ended = await inThatMoment(end, again);
    expect([ended.status, ended.body.error]).toEqual([400, 'invalid_request']);
  });
});

describe('what counts once', () => {
  it('is an assertion by which a service account proves itself, however many come with it at once', async () => {
    const { body: account } = await ask('POST', '/service-accounts', {
      name: 'keyed',
      team: 'platform',
      ownerId: owner,
    });
    const keys = { jwks: { keys: [await company.publicJwk()] } };
    expect((await ask('PUT', `/service-accounts/${account.id}/keys`, keys)).status).toBe(200);
    const assertion = await signed({ iss: account.id, sub: account.id, aud: scene.origin });
    const come = () =>
      scene.token({
        grant_type: 'client_credentials',
        resource: scene.resource(),
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
    // Nobody writes until all have looked whether it was there before.
    const lock = await scene.identity.locked('LOCK TABLE identity.oauth_item IN SHARE ROW EXCLUSIVE MODE');
    const answers = Promise.all([come(), come(), come()]);
    await lock.areWaiting(3);
    await lock.release();
    const told = (await answers).map(({ status, body }) => `${status} ${body.error ?? 'token'}`);
    expect(told.toSorted()).toEqual(['200 token', '401 invalid_client', '401 invalid_client']);
  });

  it('is an ID-JAG for as long as it could be taken, by a clock that is behind and by one that is ahead', async () => {
    const real = scene.identity.nowMs;
    const signedAtS = nowS();
    const assertion = await jag({ iat: signedAtS, exp: signedAtS + ASSERTION_S });
    try {
      scene.identity.nowMs = () => real() - (CLOCKS_S - 5) * 1_000;
      expect((await present(assertion)).status).toBe(200);
      scene.identity.nowMs = () => (signedAtS + ASSERTION_S + CLOCKS_S - 5) * 1_000;
      await scene.identity.sweep();
      expect((await present(assertion)).body.error).toBe('invalid_grant');
    } finally {
      scene.identity.nowMs = real;
    }
  });
});

describe('an ID token that is exchanged', () => {
  it.each<[string, object, number]>([
    ['for one audience', { aud: ['agent-platform'] }, 200],
    ['that names its party', { azp: 'agent-platform' }, 200],
    ['for several, made for one that may', { aud: ['agent-platform', 'wiki'], azp: 'assistant-platform' }, 200],
    ['for several, made for another one', { aud: ['agent-platform', 'wiki'], azp: 'wiki' }, 400],
    ['for several, made for nobody in particular', { aud: ['agent-platform', 'wiki'] }, 400],
    ['made for another one', { azp: 'wiki' }, 400],
    ['made for what is no name', { azp: ['agent-platform'] }, 400],
  ])('%s: by whom it was made for (OpenID Connect Core 3.1.3.7)', async (_, claims, status) => {
    expect((await exchangeIdToken(claims)).status).toBe(status);
  });
});
