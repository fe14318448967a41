import { createHash, randomBytes } from 'node:crypto';
import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import { ScriptedBrowser } from '@warder/testing';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sealing } from '../authorization/sealing.js';
import { IdentityScene, PEPPER } from '../identity.scene.js';
import { Company, COMPANY_SECRET } from '../sign-in/company.scene.js';
import { readRefusal } from '../sign-in/still-there.js';
import { LivenessStore } from './liveness.store.js';

const CALLBACK = 'https://editor.example/callback';
const NOT_GONE = { timeout: 15_000 };
const people: Record<string, object> = {};
let scene: IdentityScene;
let company: Company;
let clientId: string;
/** Milliseconds by which identity's clock is ahead. */
let aheadMs = 0;

beforeAll(async () => {
  company = new Company(people);
  await company.listen();
  scene = await IdentityScene.create();
  scene.nowMs = () => Date.now() + aheadMs;
  const corp = { kind: 'oidc', id: 'corp', name: 'Corp', issuer: company.issuer, clientId: 'warder' };
  await scene.start({
    signIn: {
      attemptsPerMinute: 10_000,
      providers: [{ ...corp, clientSecret: COMPANY_SECRET, allowPrivateAddress: true, livenessMinutes: 5 }],
    },
    authorization: { grantDays: 30 },
  });
  const document = PolicyDocument.parse({ upstreams: {}, virtualServers: { dev: { tools: [] } }, grants: [] });
  await scene.bus.ensureTopics([policySnapshotTopic]);
  const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
  await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
  company.serve(scene.running!.url);
  clientId = await scene.registerClient(CALLBACK);
});
afterAll(async () => {
  await scene?.close();
  await company?.close();
});

/** Signs in at the company as the subject. @returns whether the client was given a code */
async function signIn(subject: string): Promise<boolean> {
  people[subject] ??= { name: subject, email: `${subject}@corp.example`, email_verified: true };
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
    code_challenge_method: 'S256',
    scope: 'mcp',
    resource: `${scene.running!.url}/mcp/dev`,
  };
  const browser = ScriptedBrowser.until('https://editor.example');
  const address = `${scene.running!.url}/oauth/authorize?${new URLSearchParams(params).toString()}`;
  const login = await browser.submit(await browser.open(address), { with: 'corp' });
  const consent = await browser.submit(login, { prompt: 'login', login: subject, password: 'x' });
  const page = consent.text.includes('name="prompt" value="consent"')
    ? await browser.submit(consent, { prompt: 'consent' })
    : consent;
  await expect.poll(() => principalOf(subject)).toBeDefined();
  return page.url.startsWith(CALLBACK) && new URL(page.url).searchParams.has('code');
}
const principalOf = (subject: string) =>
  [...scene.principals.values()].find(({ email }) => email === `${subject}@corp.example`);
interface Kept {
  generation: number;
  sealed: string | null;
  failures: number;
  asked_at_ms: string | null;
}
const keptOf = async (subject: string): Promise<Kept | undefined> => {
  const id = principalOf(subject)!.id;
  return (await scene.query(`SELECT * FROM identity.liveness WHERE principal_id = '${id}'`))[0] as Kept | undefined;
};
const generationOf = async (subject: string) => (await keptOf(subject))?.generation;
const passMinutes = (minutes: number): void => void (aheadMs += minutes * 60_000);
const recordsOf = (subject: string) =>
  scene.records
    .filter(({ personal }) => JSON.stringify(personal?.arguments ?? null).includes(principalOf(subject)!.id))
    .map(({ method, verified, personal }) => [
      method.replace('admin/identity/', ''),
      verified?.by ?? null,
      (personal?.arguments as { value: { why?: string } } | undefined)?.value.why ?? null,
    ]);

describe('a provider that says nothing by itself', () => {
  it('is asked by what it gave at the sign-in, which lies sealed and is another after each question', async () => {
    await signIn('ana');
    expect(await generationOf('ana')).toBe(1);
    const before = await keptOf('ana');
    passMinutes(6);
    await expect.poll(() => generationOf('ana'), NOT_GONE).toBe(2);
    const after = await keptOf('ana');
    expect(after).toMatchObject({ asked_at_ms: null, failures: 0 });
    expect(after!.sealed).not.toBe(before!.sealed);
    passMinutes(6);
    await expect.poll(() => generationOf('ana'), NOT_GONE).toBe(3);
    expect(principalOf('ana')).toMatchObject({ status: 'active' });
    // The company gives out texts of 43 characters.
    const dump = JSON.stringify(await scene.query('SELECT * FROM identity.liveness'));
    expect(dump).not.toMatch(/"[\w-]{43}"/);
  });

  it('ends everything of whom it does not know any more, until they sign in there again', async () => {
    await signIn('bo');
    const { body } = await scene.ask('POST', '/tokens?wait=30000', { principalId: principalOf('bo')!.id, name: 'pat' });
    const pat = (body as unknown as { token: string }).token;
    expect((await scene.ask('GET', '/me', undefined, pat)).status).toBe(200);
    const account = people['bo']!;
    delete people['bo'];
    passMinutes(6);
    await expect.poll(() => principalOf('bo')?.status, NOT_GONE).toBe('suspended');
    expect(principalOf('bo')!.signedOutAtMs).toBeGreaterThan(0);
    await expect.poll(async () => (await scene.ask('GET', '/me', undefined, pat)).status).toBe(401);
    expect(await keptOf('bo')).toBeUndefined();
    await expect
      .poll(() => recordsOf('bo').slice(-2))
      .toEqual([
        ['principal.sign-out', 'liveness', 'refresh token refused'],
        ['principal.change', 'liveness', 'refresh token refused'],
      ]);
    people['bo'] = account;
    expect(await signIn('bo')).toBe(true);
    await expect.poll(() => principalOf('bo')?.status).toBe('active');
    await expect.poll(async () => (await scene.ask('GET', '/me', undefined, pat)).status).toBe(200);
    expect(principalOf('ana')).toMatchObject({ status: 'active' });
  });

  it('does not let in again whom somebody else keeps out', async () => {
    await signIn('cleo');
    const { id } = principalOf('cleo')!;
    const account = people['cleo']!;
    delete people['cleo'];
    passMinutes(6);
    await expect.poll(() => principalOf('cleo')?.status, NOT_GONE).toBe('suspended');
    await scene.ask('PATCH', `/principals/${id}`, { status: 'suspended' });
    people['cleo'] = account;
    expect(await signIn('cleo')).toBe(false);
    expect(principalOf('cleo')!.status).toBe('suspended');
  });

  it('is asked at once about somebody who was signed out', async () => {
    await signIn('dan');
    delete people['dan'];
    const token = company.logoutToken({ sub: 'dan' });
    const body = new URLSearchParams({ logout_token: token });
    expect((await fetch(`${scene.running!.url}/sign-in/backchannel/corp`, { method: 'POST', body })).status).toBe(200);
    await expect.poll(() => principalOf('dan')?.status, NOT_GONE).toBe('suspended');
  });

  it('throws nobody out while it is away, is left alone for longer each time, and asked again', async () => {
    await signIn('eve');
    const recover = company.fail(503);
    passMinutes(6);
    await expect.poll(async () => (await keptOf('eve'))?.failures, NOT_GONE).toBe(1);
    passMinutes(1);
    await expect.poll(async () => (await keptOf('eve'))?.failures, NOT_GONE).toBe(2);
    expect(principalOf('eve')).toMatchObject({ status: 'active' });
    expect(principalOf('eve')!.signedOutAtMs).toBeUndefined();
    recover();
    passMinutes(6);
    await expect.poll(() => generationOf('eve'), NOT_GONE).toBe(2);
    expect(await keptOf('eve')).toMatchObject({ failures: 0, asked_at_ms: null });
    const metrics = await (await fetch(`${scene.running!.url}/metrics`)).text();
    expect(metrics).toMatch(/warder_liveness_checks_total\{provider="corp",became="away"\} \d+/);
  });

  it('that refuses a token after a question without an answer ends what was signed in to, and a day later the rest', async () => {
    await signIn('fay');
    const { id } = principalOf('fay')!;
    // As a node leaves it that died while it asked.
    await scene.query(`UPDATE identity.liveness SET asked_at_ms = 1 WHERE principal_id = '${id}'`);
    delete people['fay'];
    passMinutes(6);
    await expect.poll(async () => (await keptOf('fay'))?.sealed, NOT_GONE).toBeNull();
    await expect.poll(() => principalOf('fay')?.signedOutAtMs ?? 0).toBeGreaterThan(0);
    expect(principalOf('fay')!.status).toBe('active');
    passMinutes(25 * 60);
    await expect.poll(() => principalOf('fay')?.status, NOT_GONE).toBe('suspended');
  });
});

describe('what is due', () => {
  it('is taken by one node, whose question is written down before it is asked', async () => {
    const sealing = new Sealing({ current: 'p1', keys: { p1: PEPPER } });
    const url = scene.database.url;
    const sources = await Promise.all(
      [0, 1].map(() =>
        new DataSource({ type: 'postgres', url, extra: { options: '-c search_path=identity' } }).initialize(),
      ),
    );
    const wallMs = scene.nowMs;
    const stores = sources.map(
      (source) => new LivenessStore({ source, wallMs }, sealing, new Map([['other', 60_000]]), () => 0.5),
    );
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1)
      ids.push((await scene.ask('POST', '/principals', { name: `P ${n}`, email: `n${n}@corp.example` })).body.id);
    await sources[0]!.transaction(async (manager) => {
      for (const id of ids) await stores[0]!.keep(manager, id, 'other', `token of ${id}`);
    });
    expect(await stores[0]!.claim(50)).toEqual([]);
    passMinutes(2);
    const claims = await Promise.all(stores.map((store) => store.claim(15)));
    const taken = claims.flat();
    expect(taken.map(({ principalId }) => principalId).toSorted()).toEqual(ids.toSorted());
    for (const { principalId, refreshToken, isUnclear } of taken)
      expect([refreshToken, isUnclear]).toEqual([`token of ${principalId}`, false]);
    // Both nodes die: whoever comes after knows that the answers are not known.
    expect(await stores[0]!.claim(50)).toEqual([]);
    passMinutes(2);
    const again = await stores[1]!.claim(50);
    expect([again.length, again.every(({ isUnclear }) => isUnclear)]).toEqual([20, true]);
    // Somebody who signed in since is not ended by the answer to an older question.
    await sources[0]!.transaction(async (manager) => {
      await stores[0]!.keep(manager, ids[0]!, 'other', 'a new token');
      const old = again.find(({ principalId }) => principalId === ids[0])!;
      expect([await stores[0]!.forget(manager, old), await stores[0]!.lose(manager, old)]).toEqual([false, false]);
    });
    await Promise.all(sources.map((source) => source.destroy()));
  });
});

describe('the answer of a token endpoint', () => {
  const gone = { is: 'gone' };
  const away = (detail: string, isUnclear = false) => ({ is: 'away', isUnclear, detail });
  const failed = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) });
  const rows: [string, unknown, object][] = [
    ['of a refused grant is a word on the person', { error: 'invalid_grant', status: 400 }, gone],
    ['of an unknown client is none', { error: 'invalid_client', status: 401 }, away('invalid_client')],
    ['of too many requests is none', { error: 'slow_down', status: 429 }, away('slow_down')],
    ['of a fault of the server is none', { cause: new Response(null, { status: 502 }) }, away('502')],
    ['that never came is none, and nothing was asked', failed('ECONNREFUSED'), away('ECONNREFUSED')],
    ['that broke off may have been one', failed('ECONNRESET'), away('ECONNRESET', true)],
    ['that did not come in time may have been one', new Error('no whole answer in time'), away('no answer', true)],
  ];
  it.each(rows)('%s', (_what, error, expected) => expect(readRefusal(error)).toEqual(expected));
});
