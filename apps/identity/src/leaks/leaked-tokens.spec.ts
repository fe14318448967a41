import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { digestOf, issueToken } from '@warder/tokens';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { IdentityScene, PEPPER } from '../identity.scene.js';
import { LeaksConfig } from './leaks-config.js';

const SECRET = 'a-secret-of-a-reporter-of-32-characters';
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const PATH = '/admin/identity/leaked-tokens';
const LEAKS = {
  reporters: { 'our-scanner': { secret: SECRET }, github: { publicKeys: { 'key-1': pem } } },
  requestsPerMinute: 6_000,
  burst: 1_000,
  tokensMax: 5,
  bodyBytesMax: 8_192,
};

let scene: IdentityScene;
beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start({ leakedTokens: LEAKS });
});
afterAll(() => scene.close());

const as = (bearer = scene.adminToken) => request.agent(scene.running!.url).set('authorization', `Bearer ${bearer}`);
const isIn = async (bearer: string) => (await as(bearer).get('/admin/identity/me')).status === 200;
const bySecret = (body: unknown, secret = SECRET) =>
  request(scene.running!.url)
    .post(PATH)
    .set('authorization', `Bearer ${secret}`)
    .set('content-type', 'application/json')
    .send(typeof body === 'string' ? body : JSON.stringify(body));
const signed = (text: string, by = privateKey, keyId = 'key-1', sent = text) =>
  request(scene.running!.url)
    .post(PATH)
    .set('github-public-key-identifier', keyId)
    .set('github-public-key-signature', sign('sha256', Buffer.from(text), by).toString('base64'))
    .set('content-type', 'application/json')
    .send(sent);

async function member(): Promise<{ principalId: string; id: string; token: string }> {
  const { body: made } = await as().post('/admin/identity/principals').send({ name: 'Ana' });
  const { body: issued } = await as()
    .post('/admin/identity/tokens?wait=30000')
    .send({ principalId: made.id, name: 'laptop' });
  return { principalId: made.id, id: issued.id, token: issued.token };
}
const recordsOf = (id: string) =>
  vi.waitFor(() => {
    const found = scene.records.filter(
      ({ method, personal }) => method === 'admin/identity/token.revoke' && JSON.stringify(personal).includes(id),
    );
    expect(found).toHaveLength(1);
    return found[0]!;
  });

describe('a report of leaked tokens', () => {
  it('ends those that exist, on record with who reported them and why', async () => {
    const [ana, ben] = [await member(), await member()];
    const answer = await bySecret([ana.token, { token: 'wdr_nothing', url: 'https://git.example.com/x' }]);
    expect([answer.status, answer.type, answer.body]).toEqual([
      200,
      'application/json',
      { received: 2, wellFormed: 1 },
    ]);
    await vi.waitFor(async () => expect(await isIn(ana.token)).toBe(false));
    expect(await isIn(ben.token)).toBe(true);
    expect(scene.tokens.get(digestOf(ana.token, PEPPER))).toMatchObject({ version: 2, status: 'revoked' });
    expect(await recordsOf(ana.id)).toMatchObject({
      verified: { client: 'our-scanner', by: 'leak-report' },
      principal: null,
      personal: { arguments: { value: { id: ana.id, principalId: ana.principalId, reason: 'leaked' } } },
    });
    expect(JSON.stringify(scene.records)).not.toContain(ana.token);
  });

  it('is taken in the form that GitHub sends, signed', async () => {
    const ana = await member();
    const found = { token: ana.token, type: 'warder_token', url: 'https://example.com/blob', source: 'content' };
    const answer = await signed(JSON.stringify([found]));
    expect([answer.status, answer.body]).toEqual([200, { received: 1, wellFormed: 1 }]);
    await vi.waitFor(async () => expect(await isIn(ana.token)).toBe(false));
    expect((await recordsOf(ana.id)).verified).toEqual({ client: 'github', by: 'leak-report' });
  });

  it('is answered alike for tokens that live, are dead and never were, and done once', async () => {
    const ana = await member();
    const first = await bySecret([ana.token]);
    const again = await bySecret([ana.token]);
    const never = await bySecret([issueToken(randomBytes)]);
    expect([again.text, never.text]).toEqual([first.text, first.text]);
    await recordsOf(ana.id);
  });

  it('of the old secret of a rotated token ends that one, and leaves the new one to its owner', async () => {
    const ana = await member();
    const { body: rotated } = await as().post(`/admin/identity/tokens/${ana.id}/rotate?wait=30000`).send({});
    await bySecret([ana.token]);
    await vi.waitFor(async () => expect(await isIn(ana.token)).toBe(false));
    expect(await isIn(rotated.token)).toBe(true);
    expect((await recordsOf(ana.id)).personal?.arguments).toMatchObject({ value: { generation: 1, reason: 'leaked' } });
    const { body: listed } = await as().get(`/admin/identity/tokens?principalId=${ana.principalId}`);
    expect(listed.tokens[0]).toMatchObject({ status: 'active', previousExpiresAtMs: null });
  });

  const text = JSON.stringify([issueToken(randomBytes)]);
  const rows: [string, number, string, () => request.Test][] = [
    ['by nobody', 401, 'WDR_TOKEN_MISSING', () => request(scene.running!.url).post(PATH).send([])],
    ['by another secret', 401, 'WDR_TOKEN_UNKNOWN', () => bySecret(text, 'x'.repeat(40))],
    ['by a token of an administrator', 401, 'WDR_TOKEN_UNKNOWN', () => bySecret(text, scene.adminToken)],
    ['signed by a stranger', 401, 'WDR_TOKEN_UNKNOWN', () => signed(text, stranger)],
    ['signed by an unknown key', 401, 'WDR_TOKEN_UNKNOWN', () => signed(text, privateKey, 'key-2')],
    ['that was altered', 401, 'WDR_TOKEN_UNKNOWN', () => signed(text, privateKey, 'key-1', `${text} `)],
    ['with no signature', 401, 'WDR_TOKEN_UNKNOWN', () => signed(text).set('github-public-key-signature', '%%')],
    ['that is no JSON', 400, 'WDR_BODY_INVALID', () => bySecret('[')],
    ['that is empty', 400, 'WDR_BODY_INVALID', () => bySecret([])],
    ['of another shape', 400, 'WDR_BODY_INVALID', () => bySecret({ tokens: [] })],
    ['of too many texts', 400, 'WDR_BODY_INVALID', () => bySecret(Array.from({ length: 6 }, () => 'x'))],
    ['of too many bytes', 413, 'WDR_BODY_TOO_LARGE', () => bySecret(['x'.repeat(9_000)])],
  ];
  it.each(rows)('%s is refused with %i and %s', async (_what, status, code, send) => {
    const answer = await send();
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });

  it('never quotes what was reported, not even where it is refused', async () => {
    const leak = issueToken(randomBytes);
    const answer = await bySecret([{ token: 1, [leak]: leak }]);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(leak);
  });
});

describe('the door of reports', () => {
  it('is not there where no reporter is configured', async () => {
    await scene.stop();
    await scene.start();
    const answer = await bySecret(['x']);
    expect([answer.status, answer.body.error.code]).toEqual([404, 'WDR_PATH_UNKNOWN']);
  });

  it('takes no more of an address, or of a reporter, than is configured', async () => {
    await scene.stop();
    await scene.start({ leakedTokens: { ...LEAKS, requestsPerMinute: 1, burst: 2 } });
    const answers = [];
    for (let sent = 0; sent < 3; sent += 1) answers.push(await bySecret(['x']));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[2]!.body.error.code).toBe('WDR_LEAKS_RATE_LIMITED');
    expect(Number(answers[2]!.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('takes no configuration of a key that is none for ECDSA, nor of a secret that can be guessed', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey;
    const isTaken = (reporter: object) => LeaksConfig.safeParse({ reporters: { github: reporter } }).success;
    expect(isTaken({ publicKeys: { k: pem } })).toBe(true);
    for (const key of ['no key', rsa.export({ type: 'spki', format: 'pem' }).toString()])
      expect(isTaken({ publicKeys: { k: key } })).toBe(false);
    for (const reporter of [{ publicKeys: {} }, { secret: 'short' }, {}]) expect(isTaken(reporter)).toBe(false);
  });
});
