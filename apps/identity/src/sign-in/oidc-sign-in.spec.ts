import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import { type BrowserPage, ScriptedBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene } from '../identity.scene.js';
import { Company, COMPANY_SECRET } from './company.scene.js';

const CALLBACK = 'https://editor.example/callback';
/** Who is at the company's provider, by subject. */
const people: Record<string, object> = {
  ana: { name: 'Ana Ortiz', email: 'ana@corp.example', email_verified: true, groups: ['/Developers', 'Night Shift'] },
  bo: { name: 'Bo Lund', email: 'bo@corp.example', email_verified: true, groups: [] },
  eve: { name: 'Eve', email: 'bo@corp.example', email_verified: false, groups: [] },
  cleo: { name: 'Cleo', email: 'cleo@corp.example', email_verified: true, groups: ['admins'] },
};
let scene: IdentityScene;
let company: Company;
let clientId: string;

const addressOf = (): string => {
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
    code_challenge_method: 'S256',
    scope: 'mcp',
    resource: `${scene.running!.url}/mcp/dev`,
  };
  return `${scene.running!.url}/oauth/authorize?${new URLSearchParams(params).toString()}`;
};
/** Allows the client, and signs in at the company as the subject; gives back what the browser comes to. */
const signIn = async (
  subject: string,
  browser = ScriptedBrowser.until('https://editor.example'),
): Promise<BrowserPage> => {
  const login = await browser.submit(await browser.open(addressOf()), { with: 'corp' });
  expect(login.url.startsWith(company.issuer)).toBe(true);
  const consent = await browser.submit(login, { prompt: 'login', login: subject, password: 'x' });
  // The provider's own question, where it has one.
  return consent.text.includes('name="prompt" value="consent"')
    ? browser.submit(consent, { prompt: 'consent' })
    : consent;
};
/** What a logout token is answered. */
const tell = async (token: string): Promise<number> => {
  const body = new URLSearchParams({ logout_token: token });
  return (await fetch(`${scene.running!.url}/sign-in/backchannel/corp`, { method: 'POST', body })).status;
};
const principalOf = (email: string) => [...scene.principals.values()].find((each) => each.email === email);
const linkOf = async (subject: string) =>
  (await scene.query(`SELECT principal_id FROM identity.identity_link WHERE subject = '${subject}'`))[0]?.[
    'principal_id'
  ];
const failures = () =>
  scene.records.flatMap(({ refusal, personal }) =>
    refusal === null ? [] : `${refusal.code} ${personal?.refusalDetail}`,
  );

beforeAll(async () => {
  company = new Company(people);
  await company.listen();
  scene = await IdentityScene.create();
  await start();
  company.serve(scene.running!.url);
  clientId = await scene.registerClient(CALLBACK);
});

afterAll(async () => {
  await scene?.close();
  await company?.close();
});

describe('signing in at the company’s provider', () => {
  it('makes a principal of who is vouched for, with the groups that the rules give, and knows it again', async () => {
    const page = await signIn('ana');
    expect(new URL(page.url).searchParams.get('code')).not.toBeNull();
    await expect
      .poll(() => principalOf('ana@corp.example'))
      .toMatchObject({
        name: 'Ana Ortiz',
        groups: ['developers', 'night-shift'],
        roles: ['member'],
      });
    const { id } = principalOf('ana@corp.example')!;
    people['ana'] = { ...people['ana'], groups: ['admins'] };
    expect(new URL((await signIn('ana')).url).searchParams.get('code')).not.toBeNull();
    await expect
      .poll(() => principalOf('ana@corp.example'))
      .toMatchObject({ id, groups: ['admins'], roles: ['admin'] });
  });

  it('recognises a principal by an address that the provider verified, and by no other', async () => {
    const { body } = await scene.ask('POST', '/principals', { name: 'Bo', email: 'bo@corp.example', groups: ['ops'] });
    expect(new URL((await signIn('eve')).url).searchParams.get('code')).not.toBeNull();
    const links = () =>
      scene.query(`SELECT subject, principal_id FROM identity.identity_link WHERE subject IN ('bo', 'eve')`);
    expect(await links()).not.toContainEqual({ subject: 'eve', principal_id: body.id });
    expect(new URL((await signIn('bo')).url).searchParams.get('code')).not.toBeNull();
    expect(await links()).toContainEqual({ subject: 'bo', principal_id: body.id });
  });

  it('makes nobody anew whom an administrator offboarded, be it known by address alone', async () => {
    const { body } = await scene.ask('POST', '/principals', { name: 'Dee', email: 'DEE@corp.example' });
    expect((await scene.ask('POST', `/principals/${body.id}/offboard`)).status).toBe(200);
    people['dee'] = { name: 'Dee', email: 'dee@corp.example', email_verified: true };
    expect((await signIn('dee')).status).toBe(403);
    // An administrator makes her anew, and may: by the address she is known again, as before by nobody's.
    const { body: anew } = await scene.ask('POST', '/principals', { name: 'Dee', email: 'dee@corp.example' });
    expect(new URL((await signIn('dee')).url).searchParams.get('code')).not.toBeNull();
    expect(await linkOf('dee')).toBe(anew.id);
    // The same once she has signed in.
    expect((await scene.ask('POST', `/principals/${anew.id}/offboard`)).status).toBe(200);
    expect((await signIn('dee')).status).toBe(403);
    const { body: third } = await scene.ask('POST', '/principals', { name: 'Dee', email: 'dee@corp.example' });
    expect(new URL((await signIn('dee')).url).searchParams.get('code')).not.toBeNull();
    expect(await linkOf('dee')).toBe(third.id);
  });

  it('gives nobody what belongs to who had the address at the provider before', async () => {
    people['finn'] = { name: 'Finn', email: 'finn@corp.example', email_verified: true };
    people['finn-2'] = { name: 'Finn the Second', email: 'finn@corp.example', email_verified: true };
    expect(new URL((await signIn('finn')).url).searchParams.get('code')).not.toBeNull();
    const known = await linkOf('finn');
    expect((await signIn('finn-2')).status).toBe(403);
    expect(await linkOf('finn-2')).toBeUndefined();
    expect(new URL((await signIn('finn')).url).searchParams.get('code')).not.toBeNull();
    expect(await linkOf('finn')).toBe(known);
  });

  it('lets nobody in who was suspended here, and says so on record', async () => {
    expect(new URL((await signIn('cleo')).url).searchParams.get('code')).not.toBeNull();
    await expect.poll(() => principalOf('cleo@corp.example')).toBeDefined();
    const { id } = principalOf('cleo@corp.example')!;
    expect((await scene.ask('PATCH', `/principals/${id}`, { status: 'suspended' })).status).toBe(200);
    const page = await signIn('cleo');
    expect([page.status, page.text.includes('You have no access here')]).toEqual([403, true]);
    await expect
      .poll(failures, { timeout: 15_000 })
      .toContain('WDR_SIGN_IN_REFUSED corp: cleo is nobody here, or kept out');
  });

  it('takes the answer of the provider once, and only in the browser that was sent there', async () => {
    const browser = ScriptedBrowser.until('https://editor.example');
    const login = await browser.submit(await browser.open(addressOf()), { with: 'corp' });
    let answer = '';
    const spying = new ScriptedBrowser((url) => {
      answer = url.includes('/sign-in/callback/') ? url : answer;
      return url.includes('/sign-in/callback/');
    });
    // The attacker's own sign-in at the provider, whose answer is planted in another browser.
    const own = await spying.submit(await spying.open(addressOf()), { with: 'corp' });
    const consent = await spying.submit(own, { prompt: 'login', login: 'bo', password: 'x' });
    if (consent.status !== 0) await spying.submit(consent, { prompt: 'consent' });
    expect(answer).toContain('state=');
    expect((await browser.open(answer)).status).toBe(400);
    expect(login.status).toBe(200);
    await expect
      .poll(failures, { timeout: 15_000 })
      .toContain('WDR_SIGN_IN_FAILED corp: no such attempt in this browser');
  });

  it('does not take what another provider would answer (mix-up), nor a code that it did not give', async () => {
    const browser = new ScriptedBrowser((url) => url.includes('/sign-in/callback/'));
    const login = await browser.submit(await browser.open(addressOf()), { with: 'corp' });
    const state = new URL(login.url).searchParams.get('state') ?? '';
    const consent = await browser.submit(login, { prompt: 'login', login: 'bo', password: 'x' });
    const back = consent.status === 0 ? consent : await browser.submit(consent, { prompt: 'consent' });
    expect(state === '' || back.url.includes(state)).toBe(true);
    const forged = back.url.replace(/iss=[^&]+/, `iss=${encodeURIComponent('https://evil.example')}`);
    expect(forged).not.toBe(back.url);
    const page = await browser.visit(forged);
    expect(page.status).toBe(502);
  });

  it('is undone here by a logout there, once, and by nothing that is no logout token', async () => {
    await signIn('bo');
    const { id } = principalOf('bo@corp.example')!;
    const signedOut = () => scene.principals.get(id)?.signedOutAtMs ?? 0;
    const before = signedOut();
    const own = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const wrong = [
      company.logoutToken({ sub: 'bo', iss: 'https://evil.example' }),
      company.logoutToken({ sub: 'bo', aud: 'another' }),
      company.logoutToken({ sub: 'bo', events: {} }),
      company.logoutToken({ sub: 'bo', nonce: 'n' }),
      company.logoutToken({ sub: undefined, sid: 's' }),
      company.logoutToken({ sub: 'bo', jti: undefined }),
      company.logoutToken({ sub: 'bo', iat: Math.floor(Date.now() / 1_000) - 600 }),
      company.logoutToken({ sub: 'bo' }, { alg: 'none' }),
      company.logoutToken({ sub: 'bo' }, { alg: 'HS256' }),
      company.logoutToken({ sub: 'bo' }, { kid: 'other' }),
      company.logoutToken({ sub: 'bo' }, { typ: 'at+jwt' }),
      // An ID token in its place.
      company.logoutToken({ sub: 'bo', events: undefined, nonce: 'n' }, { typ: 'JWT' }),
      // Signed by a key that it brings itself, or says where to get.
      company.logoutToken({ sub: 'bo' }, { jwk: own.publicKey.export({ format: 'jwk' }) }, own.privateKey),
      company.logoutToken({ sub: 'bo' }, { kid: undefined, jku: `${company.issuer}/mine` }, own.privateKey),
      `${company.logoutToken({ sub: 'bo' }).slice(0, -8)}AAAAAAAA`,
      'no token at all',
    ];
    for (const token of wrong) expect(await tell(token)).toBe(400);
    expect(signedOut()).toBe(before);
    const good = company.logoutToken({ sub: 'bo' });
    expect(await tell(good)).toBe(200);
    await expect.poll(signedOut).toBeGreaterThan(before);
    const after = signedOut();
    expect(await tell(good)).toBe(400);
    // Who is not known here is signed out here already.
    expect(await tell(company.logoutToken({ sub: 'nobody' }))).toBe(200);
    expect(signedOut()).toBe(after);
    const grants = await scene.query(`SELECT id FROM identity.oauth_item WHERE account_id = '${id}'`);
    expect(grants).toEqual([]);
  });

  it('that could not be stored is taken when the provider sends it again', async () => {
    const signedOut = () => principalOf('bo@corp.example')?.signedOutAtMs ?? 0;
    const before = signedOut();
    const token = company.logoutToken({ sub: 'bo' });
    await scene.query(
      `CREATE FUNCTION identity.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fails'; END $$;
       CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON identity.principal FOR EACH ROW EXECUTE FUNCTION identity.fail()`,
    );
    expect(await tell(token)).toBeGreaterThanOrEqual(500);
    await scene.query('DROP TRIGGER fail ON identity.principal; DROP FUNCTION identity.fail()');
    expect(await tell(token)).toBe(200);
    await expect.poll(signedOut).toBeGreaterThan(before);
  });

  it('is told of by the provider as often as people leave, which no attempt of anybody’s counts', async () => {
    const told = Array.from({ length: 120 }, () =>
      fetch(`${scene.running!.url}/sign-in/backchannel/corp`, { method: 'POST', body: new URLSearchParams({}) }),
    );
    for (const { status } of await Promise.all(told)) expect(status).toBe(400);
  });

  it('is not made to fetch again and again by keys that nobody knows (JWKS storm)', async () => {
    const storm = async (count: number) => {
      company.asked.length = 0;
      const tokens = Array.from({ length: count }, (_, at) =>
        company.logoutToken({ sub: 'bo' }, { kid: `../${at}' OR 1=1` }),
      );
      const statuses = await Promise.all(tokens.map(tell));
      expect(new Set(statuses)).toEqual(new Set([400]));
      return company.asked.filter((path) => path !== '/').toSorted();
    };
    // Keys were read when the first logout token came; for the cool-down nobody makes them be read anew.
    expect(await storm(50)).toEqual([]);
    await scene.stop();
    await start();
    expect(await storm(50)).toEqual(['/.well-known/openid-configuration', '/jwks']);
    expect(await storm(50)).toEqual([]);
  });

  it('is not sent to other places of the network by what the provider’s metadata name (SSRF)', async () => {
    let reached = 0;
    const decoy = createServer((_, response) => void ((reached += 1), response.end('{"keys":[]}'))).listen(
      0,
      '127.0.0.1',
    );
    await once(decoy, 'listening');
    const { port } = decoy.address() as AddressInfo;
    await scene.stop();
    await start();
    const { issuer } = company;
    const metadata = { issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token` };
    for (const host of ['localhost', '[::ffff:127.0.0.1]', 'localhost.', '127.1.1.1']) {
      company.metadata = { ...metadata, jwks_uri: `http://${host}:${port}/jwks` };
      expect(await tell(company.logoutToken({ sub: 'bo' }))).toBe(400);
      await scene.stop();
      await start();
    }
    company.metadata = undefined;
    expect(reached).toBe(0);
    decoy.close();
  });

  it('says that the provider cannot be reached, and goes on when it can', async () => {
    const { port } = company;
    await company.close();
    await scene.stop();
    // A new process knows nothing of the provider yet.
    await start();
    const browser = ScriptedBrowser.until('https://editor.example');
    const page = await browser.submit(await browser.open(addressOf()), { with: 'corp' });
    expect([page.status, page.text.includes('Corp cannot be reached')]).toEqual([502, true]);
    await company.listen(port);
    const sent = await browser.submit(await browser.open(addressOf()), { with: 'corp' });
    expect(sent.url.startsWith(company.issuer)).toBe(true);
  });
});

/** Starts identity with the company's provider, and tells it of the one virtual server. */
async function start(): Promise<void> {
  const corp = {
    kind: 'oidc',
    id: 'corp',
    name: 'Corp',
    issuer: company.issuer,
    clientId: 'warder',
    clientSecret: COMPANY_SECRET,
  };
  const scopes = ['openid', 'email', 'profile', 'groups'];
  await scene.start({
    signIn: {
      attemptsPerMinute: 100,
      providers: [{ ...corp, scopes, groupsClaim: 'groups', allowPrivateAddress: true }],
    },
    groupRules: [{ from: 'admins', role: 'admin' }, { from: '*' }],
  });
  const document = PolicyDocument.parse({ upstreams: {}, virtualServers: { dev: { tools: [] } }, grants: [] });
  const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
  await scene.bus.ensureTopics([policySnapshotTopic]);
  await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
}
